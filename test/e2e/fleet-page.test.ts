import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { chromiumPath, openBrowser, seriousFaults, withoutChromium } from "./browser.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import { makeStage, type Stage, up } from "./stage.ts";
import { enrol, linkOf, pagesOf } from "./visitor.ts";

/** The pages of the fleet in real Chromium, before a real hub that sees a real sshd. */

/** A machine is looked at every two seconds, and gone after three that it missed. */
const every = "2s";
const patience = { timeout: 30_000 };

const skipped = chromiumPath === undefined || withoutSshd !== "";
const reason = withoutChromium + withoutSshd;

async function makeFleet(sshd: Awaited<ReturnType<typeof startSshd>>) {
  const stage = await makeStage();
  const { host, port, key } = sshd;
  const node5 = { address: host, port, user: userInfo().username, key, every };
  await stage.edit((text) =>
    text
      .replace("process, server }", "process, server, workstation }")
      .replace(
        'here: server({ address: "local" }),',
        `here: server({ address: "local" }), node5: server(${JSON.stringify(node5)}), desk: workstation({ address: "127.0.0.1", port: 1, every: "${every}" }),`,
      ),
  );
  const hub = await up(stage);
  return { stage, hub };
}

const card = (page: Page, name: string): Locator =>
  page.getByRole("article").filter({ has: page.getByText(name, { exact: true }) });

/** Points of a chart's canvas that are neither empty nor grey, as lines are. */
const colouredPoints = (title: string) => `(() => {
  const cards = [...document.querySelectorAll("section")];
  const canvas = cards.find((one) => one.querySelector("h2")?.textContent === "${title}")?.querySelector("canvas");
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const spread = Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]);
    if (data[i + 3] > 100 && spread > 60) count++;
  }
  return count;
})()`;

const chartOf = (page: Page, title: string): Locator => page.getByRole("region", { name: title });

async function drawn(page: Page, title: string): Promise<void> {
  await expect.poll(() => page.evaluate<number>(colouredPoints(title)), patience).toBeGreaterThan(20);
}

test.skipIf(skipped)(
  `a machine dies and returns while its card and its page are open, and its key changes${reason}`,
  async () => {
    const sshd = await startSshd();
    const { hub } = await makeFleet(sshd);
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.goto(`${pagesOf(hub)}/machines`);
    await card(page, "node5").getByText("online").waitFor(patience);
    await card(page, "here").getByText("online").waitFor(patience);
    await card(page, "desk").getByText("away").waitFor(patience);
    await expect.poll(() => card(page, "node5").locator("dd").first().innerText(), patience).toMatch(/^[\d.]+ %$/);

    await sshd.kill();
    await card(page, "node5").getByText("offline").waitFor(patience);
    await card(page, "node5").getByText(/seen/).waitFor(patience);
    await sshd.restart();
    await card(page, "node5").getByText("online").waitFor(patience);

    await card(page, "node5").getByRole("link").press("Enter");
    await page.getByRole("heading", { name: "node5", level: 1 }).waitFor(patience);
    const header = page.getByRole("banner").or(page.locator("main header")).first();
    await page.getByRole("tab", { name: "Charts", selected: true }).waitFor(patience);
    await page.getByRole("button", { name: "5 min", exact: true }).press("Enter");
    await drawn(page, "CPU");
    await sshd.kill();
    await header.getByText("offline").waitFor(patience);
    await page.getByText("nothing new comes").waitFor(patience);
    await sshd.restart("new keys");
    const notice = page.getByRole("region", { name: /shows another host key/ });
    await notice.waitFor(patience);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    const words = await notice.getByText(/Either it was set up anew/).boundingBox();
    expect(words?.width).toBeGreaterThan(240);
    await page.setViewportSize({ width: 1280, height: 860 });
    await notice.getByRole("button", { name: "Compare and accept" }).press("Enter");
    const dialog = page.getByRole("alertdialog", { name: "Accept the new host key of node5?" });
    const prints = await dialog.getByText(/SHA256:/).allInnerTexts();
    expect(new Set(prints).size).toBe(2);
    expect(await seriousFaults(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Accept the new key" }).press("Enter");
    await header.getByText("online").waitFor(patience);
    await notice.waitFor({ ...patience, state: "detached" });

    await page.getByRole("tab", { name: "History" }).click();
    await page.getByText(/Accepted the new key of node5/).waitFor(patience);
    expect(await page.getByText(/node5 went from online to offline/).count()).toBeGreaterThanOrEqual(2);
    expect(complaints).toEqual([]);
  },
  180_000,
);

async function keep(stage: Stage, hub: { readonly url: string }, lines: readonly string[]): Promise<void> {
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "text/plain" };
  const body = lines.map((line) => `${line}\n`).join("");
  const answer = await fetch(`${hub.url}/api/v1/import/text`, { method: "POST", headers, body });
  expect(answer.status, await answer.text()).toBeLessThan(300);
}

const evil = '<img src=x onerror=\\"document.body.remove()\\">';

/** Some minutes of what a machine tells. */
function told(machine: string): readonly string[] {
  const endMs = Math.floor(Date.now() / 10_000) * 10_000;
  return Array.from({ length: 30 }, (_, index) => {
    const atMs = endMs - index * 10_000;
    const labels = `machine="${machine}",fstype="ext4",mountpoint="${evil}"`;
    return [
      `node_filesystem_size_bytes{${labels}} 100 ${atMs}`,
      `node_filesystem_avail_bytes{${labels}} ${index} ${atMs}`,
    ];
  }).flat();
}

test.skipIf(skipped)(
  `keyboard alone: charts go on by themselves, one crosshair for all, a range is chosen, names do no harm${reason}`,
  async () => {
    const { stage, hub } = await makeFleet(await startSshd());
    await keep(stage, hub, told("node5"));
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.goto(`${pagesOf(hub)}/machines/node5?last=5`);
    const [cpu, load, files] = ["CPU", "Load", "Filesystems, used"].map((title) => chartOf(page, title)) as [
      Locator,
      Locator,
      Locator,
    ];
    await drawn(page, "Load");
    await drawn(page, "Filesystems, used");
    await files.getByText('<img src=x onerror="document.body.remove()">').waitFor(patience);
    // What is measured every second is there every second, without a click.
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await expect.poll(() => asked.filter((path) => path === "/api/v1/query").length, patience).toBeGreaterThan(3);
    expect(asked.filter((path) => path === "/api/v1/query_range").length).toBeLessThan(3);

    await cpu.getByRole("slider").focus();
    await page.keyboard.press("Home");
    const atOfLoad = load.getByText(/^\d{4}-\d\d-\d\d/);
    await atOfLoad.waitFor(patience);
    const before = await atOfLoad.innerText();
    await page.keyboard.press("PageDown");
    await expect.poll(() => atOfLoad.innerText(), patience).not.toBe(before);

    const plot = await load.locator(".u-over").boundingBox();
    if (!plot) throw new Error("there is no plot");
    const y = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.9, y, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/, patience);
    await page.getByRole("button", { name: "6 h" }).press("Enter");
    await page.waitForURL(/last=360/, patience);
    await drawn(page, "Load");
    await page.goBack();
    await page.waitForURL(/from=\d+&to=\d+/, patience);

    await page.getByRole("button", { name: "Maintenance" }).press("Enter");
    await page.getByLabel("Why").fill(`new <b>disk</b>\u202e${"y".repeat(200)}`);
    await page.keyboard.press("Enter");
    await page.getByText(/until .*: New <b>disk<\/b>\\u202ey/).waitFor(patience);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.getByRole("button", { name: "End maintenance" }).press("Enter");
    await page.getByRole("button", { name: "Maintenance", exact: true }).waitFor(patience);
    expect(complaints).toEqual([]);
  },
  180_000,
);

test.skipIf(skipped)(
  `each part of a machine is there, on a phone and in the light too, and axe finds nothing serious${reason}`,
  async () => {
    const { hub } = await makeFleet(await startSshd());
    const browser = await openBrowser();
    const { page, complaints } = await browser.person();
    await enrol(page, await linkOf(hub));
    await page.goto(`${pagesOf(hub)}/machines/node5?last=5`);
    await drawn(page, "CPU");
    for (const [width, scheme] of [
      [1280, "dark"],
      [390, "light"],
    ] as const) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme: scheme });
      for (const tab of ["Charts", "Processes", "Containers", "Units", "Updates", "Storage", "System", "History"]) {
        await page.getByRole("tab", { name: tab }).click();
        await page.getByRole("tab", { name: tab, selected: true }).waitFor(patience);
        await page.getByRole("status", { name: /^Loading/ }).waitFor({ ...patience, state: "detached" });
        expect(await seriousFaults(page), `${tab} at ${width}`).toEqual([]);
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        expect(wide, `${tab} at ${width} is wider than the screen`).toBeLessThanOrEqual(0);
      }
    }
    await page.getByRole("tab", { name: "Processes" }).click();
    await page.getByRole("table", { name: "Processes" }).getByRole("row").nth(1).waitFor(patience);
    expect(complaints).toEqual([]);
  },
  180_000,
);
