import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { chromiumPath, openBrowser, seriousFaults, withoutChromium } from "./browser.ts";
import { makePerson } from "./person.ts";
import { makeStage, type Stage, up } from "./stage.ts";
import { enrol, linkOf, pagesOf, password, patience, shows } from "./visitor.ts";

/** The Metrics page in real Chromium, before a real hub with samples of its own and of ours. */

const stepMs = 15_000;
const samplesEach = 40;

/** Ten minutes of counters, more of them than are drawn, and of a gauge with a gap. */
function demoText(): string {
  const endMs = Math.floor(Date.now() / stepMs) * stepMs;
  const at = (index: number) => endMs - (samplesEach - 1 - index) * stepMs;
  const indices = Array.from({ length: samplesEach }, (_, index) => index);
  const counters = Array.from({ length: 120 }, (_, series) =>
    indices.map(
      (index) => `demo_requests_total{path="/${series % 4}",worker="${series}"} ${index * (series + 1)} ${at(index)}`,
    ),
  );
  const sizes = [1, 3, 2].map((size) =>
    indices.map((index) => `demo_room_bytes{disk="sd${size}"} ${size * 2 ** 30} ${at(index)}`),
  );
  return [...counters, ...sizes]
    .flat()
    .map((line) => `${line}\n`)
    .join("");
}

async function keep(stage: Stage, hub: { readonly url: string }, body: string): Promise<void> {
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "text/plain" };
  const answer = await fetch(`${hub.url}/api/v1/import/text`, { method: "POST", headers, body });
  expect(answer.status, await answer.text()).toBeLessThan(300);
}

const addressOf = (hub: { readonly url: string }, queries: readonly string[], more = "") =>
  `${pagesOf(hub)}/graph?q=${encodeURIComponent(JSON.stringify(queries))}${more}`;

/** Points of the canvas that are neither empty nor grey, as lines are. */
const colouredPoints = `(() => {
  const canvas = document.querySelector("canvas");
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const spread = Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]);
    if (data[i + 3] > 100 && spread > 60) count++;
  }
  return count;
})()`;

async function drawn(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate<number>(colouredPoints), patience).toBeGreaterThan(300);
}

/** As if the tab went behind another one, or came back. */
async function look(page: Page, state: "hidden" | "visible"): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, "visibilityState", { configurable: true, value: "${state}" })`);
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
}

const chosen = (page: Page) => page.locator("[role=option][aria-selected=true]");

test.skipIf(chromiumPath === undefined)(
  `keyboard alone: to the page, a query by proposals, a chart; a mistake is shown where it is${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    await keep(stage, hub, demoText());
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { name: "Metrics" }).waitFor(patience);
    await page.getByText("To begin with").waitFor(patience);
    const box = page.getByLabel("Query A");
    await page.keyboard.press("/");

    await page.keyboard.type("sum by (pa");
    await chosen(page).getByText("path").waitFor(patience);
    expect(await box.getAttribute("aria-activedescendant")).toBe(await chosen(page).getAttribute("id"));
    await page.keyboard.press("Enter");
    await page.keyboard.type(") (ra");
    await chosen(page).getByText("rate", { exact: true }).waitFor(patience);
    await page.keyboard.press("Tab");
    await page.keyboard.type("demo_r");
    await page.getByRole("option", { name: "demo_requests_total" }).waitFor(patience);
    await page.keyboard.press("Control+Space");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    for (let tries = 0; tries < 5 && !/demo_requests/.test(await chosen(page).innerText()); tries++)
      await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.type("{wor");
    await chosen(page).getByText("worker").waitFor(patience);
    await page.keyboard.press("Enter");
    await page.keyboard.type('!="');
    await page.getByRole("option", { name: "119" }).waitFor(patience);
    await page.keyboard.press("Escape");
    await page.keyboard.type('0"}[1m]))');
    expect(await box.inputValue()).toBe('sum by (path) (rate(demo_requests_total{worker!="0"}[1m]))');
    await page.keyboard.press("Enter");
    await drawn(page);
    const legend = page.getByRole("list", { name: "Series" }).getByRole("button");
    expect(await legend.count()).toBe(4);
    await page.getByText("The last values").waitFor(patience);
    await page.getByRole("slider").press("ArrowLeft");
    await page.getByText("The last values").waitFor({ ...patience, state: "detached" });
    const all = await page.evaluate<number>(colouredPoints);
    await legend.first().press("Enter");
    expect(await legend.first().getAttribute("aria-pressed")).toBe("true");
    await expect.poll(() => page.evaluate<number>(colouredPoints), patience).toBeLessThan(all / 2);

    await box.fill("sum(up) +\n  rate(up)");
    await page.getByText(/Line 2, column 8: .*must be a range vector/).waitFor(patience);
    expect(await box.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("pre .decoration-wavy").allInnerTexts()).toEqual(["up"]);
    // What only the hub can know is shown in the same way.
    await box.fill('up{job=~"("}');
    await page.keyboard.press("Enter");
    await page.getByText(/Column 9: Error parsing regexp: missing closing \)/).waitFor(patience);
    expect(await page.locator("pre .decoration-wavy").allInnerTexts()).toEqual(['"("']);
    await box.fill("quantile(3, demo_room_bytes)");
    await page.keyboard.press("Enter");
    await page.getByText(/^Warning: quantile value should be between 0 and 1/).waitFor(patience);
    expect(complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
  },
);

test.skipIf(chromiumPath === undefined)(
  `dragging chooses a range, the way back leads back, a link shows a viewer the same, tables sort, live goes on${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    await keep(stage, hub, demoText());
    const browser = await openBrowser();
    const { page, context, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.goto(addressOf(hub, ["rate(demo_requests_total[1m])"], "&range=15m"));
    await drawn(page);
    await page.getByText("100 of 120 series drawn").waitFor(patience);

    const plot = await page.locator(".u-over").boundingBox();
    if (!plot) throw new Error("there is no plot");
    await page.mouse.move(plot.x + plot.width * 0.5, plot.y + 50);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.8, plot.y + 60, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => page.url(), patience).toMatch(/from=\d+&to=\d+/);
    await drawn(page);
    await page.goBack();
    await expect.poll(() => page.url(), patience).toMatch(/range=15m/);
    await page.getByLabel("Query A").press("Tab");
    await page.keyboard.press("[");
    await expect.poll(() => page.url(), patience).toMatch(/from=\d+&to=\d+/);

    await page.goto(addressOf(hub, ["demo_room_bytes", "up"], "&tab=values&off=B"));
    await page.getByRole("cell", { name: "3 GiB" }).waitFor(patience);
    const column = () => page.getByRole("table", { name: "Values" }).locator("tbody td:nth-child(3)").allInnerTexts();
    await page.getByRole("button", { name: "Value", exact: true }).click();
    expect(await column()).toEqual(["3 GiB", "2 GiB", "1 GiB"]);
    await page.getByRole("button", { name: "Value", exact: true }).click();
    expect(await column()).toEqual(["1 GiB", "2 GiB", "3 GiB"]);
    expect(await page.locator("th[aria-sort=ascending]").innerText()).toBe("Value");

    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    await page.getByRole("button", { name: /^Share/ }).click();
    await expect.poll(copied, patience).toBe(page.url());
    await page.getByRole("button", { name: "Copy as CSV" }).click();
    await expect
      .poll(copied, patience)
      .toBe(
        `series,Value\r\n${[1, 2, 3].map((size) => `"demo_room_bytes{disk=""sd${size}""}",${size * 2 ** 30}\r\n`).join("")}`,
      );
    const owner = await makePerson(stage, "owner", { FED_DATA: stage.data });
    const added = await owner.tell(password, "user", "add", "eve", "--role", "viewer", "--password-stdin");
    expect(added.code, added.err).toBe(0);
    const other = await browser.person({ viewport: { width: 390, height: 800 } });
    await other.page.goto(page.url());
    await other.page.getByLabel("Name").fill("eve");
    await other.page.getByLabel("Password", { exact: true }).fill(password);
    await other.page.getByRole("button", { name: "Sign in" }).click();
    await other.page.getByRole("cell", { name: "3 GiB" }).waitFor(patience);
    expect(await other.page.getByLabel("Query A").inputValue()).toBe("demo_room_bytes");
    expect(await other.page.getByRole("button", { name: "Show B" }).count()).toBe(1);

    await keep(stage, hub, "demo_live 41\n");
    await page.goto(addressOf(hub, ["demo_live"], "&range=5m&step=1s&live=true&tab=values"));
    await page.getByRole("cell", { name: "41", exact: true }).waitFor(patience);
    await keep(stage, hub, "demo_live 42\n");
    await page.getByRole("cell", { name: "42", exact: true }).waitFor(patience);

    // While nobody looks, nothing is asked; whoever looks again sees what is now.
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await look(page, "hidden");
    await keep(stage, hub, "demo_live 43\n");
    asked.length = 0;
    await page.waitForTimeout(2_500);
    expect(asked.filter((url) => url.includes("/query"))).toEqual([]);
    await look(page, "visible");
    await page.getByRole("cell", { name: "43", exact: true }).waitFor(patience);

    hub.child.kill("SIGKILL");
    await hub.ending;
    await shows(page, "reconnecting");
    await page.getByText("The last answer came").waitFor(patience);
    expect(await page.getByRole("cell", { name: "43", exact: true }).count()).toBe(1);
    await up(stage, "--port", new URL(hub.url).port);
    await page.getByText("Asked again every 1 s").waitFor(patience);
    expect([...complaints, ...other.complaints]).toEqual([]);
  },
);

test.skipIf(chromiumPath === undefined)(
  `whatever it shows, it has no serious fault of accessibility, dark or light, wide or narrow${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    await keep(stage, hub, demoText());
    const browser = await openBrowser();
    const { page } = await browser.person();
    await enrol(page, await linkOf(hub));
    const views: readonly (readonly [string, string, string])[] = [
      ["start", `${pagesOf(hub)}/graph`, "To begin with"],
      ["chart", addressOf(hub, ["demo_room_bytes", "rate(demo_requests_total[1m])"], "&range=15m"), "The last values"],
      ["values", addressOf(hub, ["demo_room_bytes"], "&tab=values&from=1&to=4000000000"), "No series has a value"],
      ["summary", addressOf(hub, ["demo_room_bytes"], "&tab=summary&range=15m"), "Greatest"],
      ["mistake", addressOf(hub, ["rate(up)"]), "must be a range vector"],
    ];
    for (const [colorScheme, width] of [
      ["light", 1280],
      ["dark", 390],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 860 });
      for (const [name, url, text] of views) {
        await page.goto(url);
        await page.getByText(text).first().waitFor(patience);
        expect(await seriousFaults(page), `${name} ${colorScheme} ${width}`).toEqual([]);
        const overflows = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
        expect(overflows, `${name} at ${width} scrolls sideways`).toBe(false);
      }
      await page.getByLabel("Query A").fill("su");
      await page.getByRole("listbox").waitFor(patience);
      expect(await seriousFaults(page), `proposals ${colorScheme}`).toEqual([]);
    }
    await page.route("**/label/__name__/values*", (route) => route.fulfill({ json: { status: "success", data: [] } }));
    await page.goto(`${pagesOf(hub)}/graph`);
    await page.getByText("Nothing was measured yet").waitFor(patience);
  },
  120_000,
);
