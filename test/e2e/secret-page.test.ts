import { expect, test } from "vitest";
import { chromiumPath, openBrowser, seriousFaults, withoutChromium } from "./browser.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, up } from "./stage.ts";
import { enrol, linkOf, pagesOf, patience } from "./visitor.ts";

/** The lab's secrets as a person sets them in a browser. */

const value = "canary-7f3a91";

test.skipIf(chromiumPath === undefined)(
  `a value that is missing is set, gets to the service, has a next version and goes; it is shown nowhere${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.goto(`${pagesOf(hub)}/settings#secrets`);
    await page.getByText("There are no secrets").waitFor(patience);
    await stage.edit((text) =>
      text
        .replace(/GREETING: "[^"]*"/, 'GREETING: { secret: "GREETING" }')
        .replace("services: {", 'secrets: { GREETING: { description: "What it says." } },\n  services: {'),
    );
    const missing = page.getByRole("list", { name: "Values that are missing" });
    await missing.getByText("has no value, and dev/api needs it").waitFor(patience);
    await missing.getByRole("button", { name: "Set GREETING" }).press("Enter");
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByLabel("Value", { exact: true }).fill(value);
    await page.keyboard.press("Enter");
    const row = page.getByRole("row", { name: /GREETING/ });
    await row.getByRole("cell", { name: "1", exact: true }).waitFor(patience);
    await missing.waitFor({ ...patience, state: "detached" });
    expect(await runFed(["apply", "--data", stage.data])).toMatchObject({ code: 0 });
    expect((await ask(hub.ingress, "api.localhost")).body).toContain(value);

    await row.getByRole("button", { name: "Set a new value of GREETING" }).press("Enter");
    await page.getByLabel("Value", { exact: true }).fill(`${value}-2`);
    await page.keyboard.press("Enter");
    await row.getByRole("cell", { name: "2", exact: true }).waitFor(patience);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await seriousFaults(page)).toEqual([]);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 860 });
    for (const path of ["/services/dev/api?tab=releases", "/services/dev/api?tab=history", "/events"]) {
      await page.goto(pagesOf(hub) + path);
      await page
        .getByText(/secret GREETING|GREETING has a new value|is to become/)
        .first()
        .waitFor(patience);
      expect(await page.content(), path).not.toContain(value);
    }
    await page.goto(`${pagesOf(hub)}/settings#secrets`);
    await row.getByRole("button", { name: "Remove GREETING" }).press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).press("Enter");
    await missing.getByText("has no value, and dev/api needs it").waitFor(patience);
    expect(complaints).toEqual([]);
  },
  120_000,
);
