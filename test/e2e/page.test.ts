import { expect, test } from "vitest";
import { chromiumPath, openBrowser, seriousFaults, withoutChromium } from "./browser.ts";
import { leftBehind, makeStage, up } from "./stage.ts";
import { enrol, linkOf, pagesOf, password, patience, shows } from "./visitor.ts";

/** What a person does in a browser, on the real start-up path: the launcher, the built pages, real Chromium. */

const pages = ["/", "/machines", "/machines/here", "/services", "/services/dev/api", "/events", "/settings"] as const;

test.skipIf(chromiumPath === undefined)(
  `the first link, the lab live, an edit, a bad edit, the way out${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    const link = await linkOf(hub);
    await enrol(page, link);
    await page.getByRole("cell", { name: "api" }).waitFor(patience);
    await shows(page, "live");
    // Lost by a reload.
    await page.evaluate("window.stayed = true");

    await stage.edit((text) => text.replace("api: {", "extra: { run: process('sleep 1000') },\n    api: {"));
    await page.getByRole("cell", { name: "extra" }).waitFor(patience);
    await stage.edit((text) => text.replaceAll("route:", "rout:"));
    await page.getByText("The edit was refused").waitFor(patience);
    await page.getByText('Did you mean "route"?').first().waitFor(patience);
    await stage.edit((text) => text.replaceAll("rout:", "route:").replace(/extra: .*\n/, ""));
    await page.getByText("The edit was refused").waitFor({ ...patience, state: "detached" });
    await page.getByRole("cell", { name: "extra" }).waitFor({ ...patience, state: "detached" });
    expect(await page.evaluate("window.stayed")).toBe(true);

    const second = await browser.person();
    await second.page.goto(link);
    await second.page.getByText("This link does not work").waitFor(patience);

    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ name: "fed_session", httpOnly: true, sameSite: "Strict" }]);
    await page.getByRole("button", { name: "ada" }).first().click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor(patience);
    const session = cookies[0]?.value ?? "";
    const stolen = await fetch(`${hub.url}/api/v1/status`, { headers: { cookie: `fed_session=${session}` } });
    expect(stolen.status).toBe(401);
    await page.goto(`${pagesOf(hub)}/services/dev/api`);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "dev/api" }).waitFor(patience);
    expect(complaints).toEqual([]);
    hub.child.kill("SIGINT");
    await hub.ending;
    expect(await leftBehind(stage.data)).toEqual([]);
  },
);

test.skipIf(chromiumPath === undefined)(
  `no page has a serious fault of accessibility, dark or light, wide or narrow${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const browser = await openBrowser();
    const { page, context, complaints } = await browser.person();
    const link = await linkOf(hub);
    await page.goto(link);
    await page.getByRole("button", { name: "Create account" }).waitFor(patience);
    expect(await seriousFaults(page), "welcome").toEqual([]);
    await enrol(page, link);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 860 });
        for (const path of pages) {
          await page.goto(pagesOf(hub) + path);
          await shows(page, "live");
          await page.getByRole("heading", { level: 1 }).waitFor(patience);
          expect(await seriousFaults(page), `${path} ${colorScheme} ${width}`).toEqual([]);
          const overflows = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
          expect(overflows, `${path} at ${width} scrolls sideways`).toBe(false);
        }
      }
      await page.keyboard.press("Control+k");
      await page.getByPlaceholder(/page, a service/).waitFor(patience);
      expect(await seriousFaults(page), `palette ${colorScheme}`).toEqual([]);
      await page.keyboard.press("Escape");
    }
    await context.clearCookies();
    await page.goto(`${pagesOf(hub)}/sign-in`);
    await page.getByRole("button", { name: "Sign in" }).waitFor(patience);
    expect(await seriousFaults(page), "sign-in").toEqual([]);
    expect(complaints).toEqual([]);
  },
  180_000,
);

test.skipIf(chromiumPath === undefined)(
  `keyboard alone: the palette leads to a service, which is restarted; a hub that comes back is found again${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const browser = await openBrowser();
    const { page } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor(patience);
    await page.keyboard.type("dev/api");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "dev/api" }).waitFor(patience);
    await page.getByText("api listens on").first().waitFor(patience);
    await page.getByRole("button", { name: "More for dev" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Restart" }).press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Restart" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog").waitFor({ ...patience, state: "detached" });
    // What opened the dialog has the focus again.
    expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("More for dev");
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { name: "Events" }).waitFor(patience);
    await page
      .getByText(/dev\/api is to be restarted/)
      .first()
      .waitFor(patience);

    await page.evaluate("window.stayed = true");
    hub.child.kill("SIGKILL");
    await hub.ending;
    await shows(page, "reconnecting");
    await page.getByText("The hub does not answer").waitFor(patience);
    // A page that may not have been fetched yet must not end in the browser's own words.
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    const next = await up(stage, "--port", new URL(hub.url).port);
    await shows(page, "live");
    await page.getByRole("heading", { name: "Machines" }).waitFor(patience);
    await page.getByRole("link", { name: "here" }).waitFor(patience);
    await page.getByText("The hub does not answer").waitFor({ ...patience, state: "detached" });
    expect(await page.evaluate("window.stayed")).toBe(true);
    next.child.kill("SIGINT");
    await next.ending;
    expect(await leftBehind(stage.data)).toEqual([]);
  },
);
