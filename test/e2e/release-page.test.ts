import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { chromiumPath, openBrowser, seriousFaults, withoutChromium } from "./browser.ts";
import { runFed } from "./program.ts";
import { ask, leftBehind, makeStage, type Stage, until, up } from "./stage.ts";
import { enrol, linkOf, pagesOf, patience, shows } from "./visitor.ts";

/** Releases as a person sees and makes them in a browser, on the real start-up path. */

const greet = (stage: Stage, word: string) =>
  stage.edit((text) => text.replace(/GREETING: "[^"]*"/, `GREETING: "Hello ${word}"`));
/** Runs the api by another command. */
const run = (stage: Stage, ...argv: readonly string[]) =>
  stage.edit((text) =>
    text.replace(/process\([^)]*\{ folder: "api" \}\)/, `process(${JSON.stringify(argv)}, { folder: "api" })`),
  );

/** The newest rollout, as the page of the service tells it. */
const rollout = (page: Page) => page.getByRole("region", { name: "Newest rollout" });
const rolledOut = (page: Page, says: string) =>
  rollout(page).getByRole("heading", { name: says, exact: true }).waitFor(patience);
const card = (page: Page, environment: string) => page.getByRole("region", { name: environment, exact: true });
const dialogOf = (page: Page) => page.getByRole("alertdialog").or(page.getByRole("dialog"));

async function visit(hub: Awaited<ReturnType<typeof up>>, path: string) {
  const browser = await openBrowser();
  const { page, context, complaints } = await browser.person();
  await enrol(page, await linkOf(hub));
  await page.goto(pagesOf(hub) + path);
  await shows(page, "live");
  return { page, context, complaints, browser };
}

test.skipIf(chromiumPath === undefined)(
  `a deploy, a release that fails, a comparison, the way back, a cancelled one: all live and by keyboard${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const says = async () => (await ask(hub.ingress, "api.localhost")).body;
    const { page, complaints } = await visit(hub, "/services/dev/api");
    await page.evaluate("window.stayed = true");
    await rolledOut(page, "Release 1 was rolled out");

    await card(page, "dev").getByRole("button", { name: "Deploy" }).press("Enter");
    await dialogOf(page).getByRole("button", { name: "Deploy" }).press("Enter");
    await rolledOut(page, "Release 2 was rolled out");
    await rollout(page).getByText("wait until it is healthy").waitFor(patience);
    await page
      .getByRole("table", { name: "Instances" })
      .getByRole("cell", { name: "2", exact: true })
      .waitFor(patience);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Deploy");

    await greet(stage, "three");
    await rolledOut(page, "Release 3 was rolled out");
    await run(stage, "sh", "-c", "echo no database; exit 3");
    await rolledOut(page, "Release 4 failed");
    await rollout(page).getByText("Release 3 serves as before.").waitFor(patience);
    await rollout(page).getByRole("log").getByText("no database").waitFor(patience);
    await card(page, "dev").getByText("Not as the lab says: release 4 failed: exit code 3").waitFor(patience);
    expect(await says()).toContain("Hello three");
    const gone = page.getByRole("table", { name: "Instances that are gone" });
    await gone
      .getByRole("row", { name: /exit code 3/ })
      .getByRole("button")
      .press("Enter");
    await dialogOf(page).getByRole("log").getByText("no database").waitFor(patience);
    await page.keyboard.press("Escape");

    await page.getByRole("tab", { name: /^Releases/ }).press("Enter");
    await page.waitForURL(/tab=releases/, patience);
    await page.getByLabel("From", { exact: true }).selectOption("Release 1");
    await page.waitForURL(/from=1&to=3|to=3.*from=1/, patience);
    const changes = page.getByRole("list", { name: "What changes from release 1 to release 3" });
    await changes.getByText("env.GREETING").waitFor(patience);
    await changes.getByText("Hello three").waitFor(patience);

    // The newest before says the same but for its instances: what is meant is the other one.
    await card(page, "dev").getByRole("button", { name: "Roll back" }).press("Enter");
    await dialogOf(page).getByText("What changes, from release 3 to 2").waitFor(patience);
    await dialogOf(page).getByRole("button", { name: "Go back to release 2" }).press("Enter");
    await rolledOut(page, "Release 2 was rolled out");
    await rollout(page).getByText("back to release 2, by ada").waitFor(patience);
    expect(await says()).toContain("Hello from the API");
    await page.getByRole("row", { name: /^Release 2 current/ }).waitFor(patience);

    await run(stage, "sh", "-c", "sleep 60; exec node server.mjs");
    await rolledOut(page, "Release 5 is being rolled out");
    await card(page, "dev").getByText("Release 2", { exact: true }).waitFor(patience);
    const deploy = card(page, "dev").getByRole("button", { name: "Deploy" });
    expect(await deploy.getAttribute("aria-disabled")).toBe("true");
    await rollout(page).getByRole("button", { name: "Cancel the rollout" }).press("Enter");
    await rolledOut(page, "Release 5 was cancelled");
    expect(await says()).toContain("Hello from the API");
    expect(await page.evaluate("window.stayed")).toBe(true);
    expect(complaints).toEqual([]);
    hub.child.kill("SIGINT");
    await hub.ending;
    expect(await leftBehind(stage.data)).toEqual([]);
  },
  120_000,
);

test.skipIf(chromiumPath === undefined)(
  `stopped, started and scaled by hand; who may not, and nobody while the hub is away${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const { page, browser, complaints } = await visit(hub, "/services/dev/api");
    const dev = card(page, "dev");
    const choose = async (deed: string) => {
      await dev.getByRole("button", { name: "More for dev" }).press("Enter");
      await page.getByRole("menuitem", { name: deed }).press("Enter");
    };
    await choose("Stop");
    await dialogOf(page).getByRole("button", { name: "Stop" }).press("Enter");
    await dev.getByText("stopped", { exact: true }).waitFor(patience);
    await page.getByText("Nothing runs. An instance appears here").waitFor(patience);
    await dev.getByRole("button", { name: "Start" }).press("Enter");
    await dev.getByText("healthy", { exact: true }).waitFor(patience);
    await choose("Scale");
    await page.getByRole("spinbutton", { name: "Instances" }).fill("101");
    await page.getByText("A whole number from 0 to 100.").waitFor(patience);
    await page.getByRole("spinbutton", { name: "Instances" }).fill("2");
    await page.keyboard.press("Enter");
    await dev.getByText("2 of 2").waitFor(patience);
    await choose("Scale");
    await dialogOf(page).getByRole("button", { name: "As the lab says" }).press("Enter");
    await dev.getByText("1 of 1").waitFor(patience);

    const added = await runFed(["user", "add", "vera", "--role", "viewer", "--json", "--data", stage.data]);
    const link = /http:[^"\s]+\/welcome#code=[^"\s]+/.exec(added.out)?.[0] ?? "";
    const viewer = (await browser.person()).page;
    await viewer.goto(link);
    await viewer.getByLabel("Password", { exact: true }).fill("a long enough password");
    await viewer.getByRole("button", { name: /^(Create|Choose|Set|Save)/ }).click();
    await viewer.getByRole("heading", { name: "Overview" }).waitFor(patience);
    // A cookie is good for the name of the link only.
    await viewer.goto(new URL("/services/dev/api?tab=releases", link).href);
    for (const name of ["Deploy", "Roll back", "More for dev"]) {
      const button = card(viewer, "dev").getByRole("button", { name });
      await button.waitFor(patience);
      expect(await button.getAttribute("aria-disabled"), name).toBe("true");
    }
    await card(viewer, "dev").getByRole("button", { name: "Deploy" }).focus();
    await viewer.getByRole("tooltip", { name: /Only an operator or an admin/ }).waitFor(patience);
    await viewer.getByRole("row", { name: /^Release 1 current/ }).waitFor(patience);

    hub.child.kill("SIGKILL");
    await hub.ending;
    await shows(page, "reconnecting");
    const deploy = dev.getByRole("button", { name: "Deploy" });
    await expect.poll(() => deploy.getAttribute("aria-disabled"), patience).toBe("true");
    await deploy.focus();
    await page.getByRole("tooltip", { name: /The hub does not answer/ }).waitFor(patience);
    await up(stage, "--port", new URL(hub.url).port);
    await shows(page, "live");
    await expect.poll(() => deploy.getAttribute("aria-disabled"), patience).toBeNull();
    expect(complaints).toEqual([]);
  },
  120_000,
);

/** What has moved by itself since the page was opened, as browsers count it; runs in the page. */
const shift = `new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})`;

test.skipIf(chromiumPath === undefined)(
  `the pages of releases stand still, fit a phone, and axe finds nothing serious, dark or light${withoutChromium}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    await greet(stage, "two");
    const { page, complaints } = await visit(hub, "/services/dev/api");
    await rolledOut(page, "Release 2 was rolled out");
    await run(stage, "sh", "-c", `echo ${"long".repeat(60)}; exit 3`);
    await rolledOut(page, "Release 3 failed");
    for (const [width, colorScheme] of [
      [1280, "dark"],
      [390, "light"],
    ] as const) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme });
      for (const tab of ["live", "releases", "history"]) {
        await page.goto(`${pagesOf(hub)}/services/dev/api?tab=${tab}`);
        await rolledOut(page, "Release 3 failed");
        await page.getByRole("status", { name: /^(Loading|Comparing)/ }).waitFor({ ...patience, state: "detached" });
        expect(await seriousFaults(page), `${tab} at ${width}`).toEqual([]);
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        expect(wide, `${tab} at ${width} is wider than the screen`).toBeLessThanOrEqual(0);
        expect(await page.evaluate<number>(shift), `${tab} at ${width} moves`).toBeLessThan(0.1);
        expect(await page.evaluate<number>("scrollY"), `${tab} at ${width} begins at its top`).toBe(0);
      }
      await card(page, "dev").getByRole("button", { name: "Roll back" }).click();
      await dialogOf(page).getByText("What changes, from release 2 to 1").waitFor(patience);
      expect(await seriousFaults(page), `rolling back at ${width}`).toEqual([]);
      await page.keyboard.press("Escape");
    }
    expect(complaints).toEqual([]);
  },
  120_000,
);

const withoutDocker = withoutEngine("docker");

const shopText = (socket: string) => `import { build, defineLab, docker, http, server } from "@fed/lab";
export default defineLab({
  name: "shop",
  machines: { hub: server({ address: "local", engine: docker({ socket: "${socket}" }) }) },
  environments: { dev: { machines: ["hub"] }, prod: { machines: ["hub"], promoteFrom: "dev" } },
  services: {
    web: { run: build("./web"), port: 8080, health: http("/", { every: "200ms" }), route: { dev: "dev.localhost", prod: "prod.localhost" }, settle: "200ms", stopGrace: "1s" },
  },
});
`;

test.skipIf(chromiumPath === undefined || withoutDocker !== "")(
  `an image is built before the reader's eyes, and promoted${withoutChromium}${withoutDocker}`,
  async () => {
    const engine = await startEngine("docker");
    onTestFinished(() => engine.close());
    engine.run("tag", engine.image(["sh", "-c", "exec httpd -f -p 8080 -h /www"]), "localhost/fed-base:1");
    const stage = await makeStage();
    const folder = join(dirname(stage.lab), "web");
    const say = (text: string) => writeFile(join(folder, "index.html"), `${text}\n`);
    await mkdir(folder);
    await writeFile(join(folder, "Dockerfile"), "FROM localhost/fed-base:1\nCOPY index.html /www/index.html\n");
    await say("one");
    await writeFile(stage.lab, shopText(engine.socket));
    const hub = await up(stage, "--no-watch");
    const { page, complaints } = await visit(hub, "/services/dev/web");
    const promote = card(page, "prod").getByRole("button", { name: "Promote from dev" });
    const mayPromote = async () => (await promote.getAttribute("aria-disabled")) !== "true";
    // Both begin with the same image.
    await until("nothing to promote", async () => ((await mayPromote()) ? undefined : true));

    const built = card(page, "dev").getByText(/^image [0-9a-f]{12}$/);
    const first = await built.innerText();
    await say("two");
    await card(page, "dev").getByRole("button", { name: "Deploy" }).press("Enter");
    await dialogOf(page).getByRole("button", { name: "Deploy" }).press("Enter");
    await rollout(page).getByRole("log").getByText("COPY index.html").waitFor(patience);
    await rolledOut(page, "Release 2 was rolled out");
    const image = await until("its image", async () => {
      const shown = await built.innerText();
      return shown === first ? undefined : shown;
    });

    await until("the leave to promote", async () => ((await mayPromote()) ? true : undefined));
    await promote.press("Enter");
    await dialogOf(page).getByRole("button", { name: "Promote" }).press("Enter");
    await page.waitForURL(/\/services\/prod\/web/, patience);
    await rolledOut(page, "Release 2 was rolled out");
    await rollout(page).getByText("promotion from dev, by ada").waitFor(patience);
    await card(page, "prod").getByText(image, { exact: true }).waitFor(patience);
    expect((await ask(hub.ingress, "prod.localhost")).body).toBe("two\n");
    await page.goto(`${pagesOf(hub)}/`);
    await page
      .getByRole("link", { name: /healthy.*#2/ })
      .nth(1)
      .waitFor(patience);
    expect(complaints).toEqual([]);
    await runFed(["down", "--data", stage.data]);
    await until("nothing", async () => (engine.run("ps", "-q") === "" ? true : undefined));
  },
  240_000,
);
