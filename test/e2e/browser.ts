import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import axe from "axe-core";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

/** Real Chromium, from Debian; whatever becomes of its test, it does not outlive it. */

/** Undefined where it is not installed: the tests that need it skip by name. */
export const chromiumPath = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => [join(folder, "chromium"), join(folder, "chromium-browser")])
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why tests are skipped where there is none, as a part of their names. */
export const withoutChromium =
  chromiumPath === undefined ? " [skipped: chromium is not installed; apt-get install chromium]" : "";

export async function openBrowser() {
  // In a container there is no sandbox to be had for root.
  const browser = await chromium.launch({ executablePath: chromiumPath ?? "chromium", args: ["--no-sandbox"] });
  onTestFinished(() => browser.close());
  return {
    /** A person at a computer of their own: nothing is kept from another. */
    async person(options: BrowserContextOptions = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
      const page = steady(await context.newPage());
      onTestFinished(async ({ task }) => {
        if (task.result?.state !== "fail") return;
        const text = await page.evaluate<string>("document.body.innerText").catch(String);
        process.stderr.write(`a page of the test that failed: ${page.url()}\n${text.slice(0, 2000)}\n`);
      });
      return { context, page, complaints: listenToComplaints(context) };
    },
  };
}

/** Chromium breaks off what it loads when an interface of the machine comes or goes, as with each network of an engine beside it. */
function steady(page: Page): Page {
  const go = page.goto.bind(page);
  let isBroken = false;
  page.on("requestfailed", (request) => {
    const isPart = ["script", "stylesheet"].includes(request.resourceType());
    isBroken ||= isPart && request.failure()?.errorText === "net::ERR_NETWORK_CHANGED";
  });
  page.goto = async (...where) => {
    // What broke before is left behind.
    isBroken = false;
    for (let left = 5; ; left--) {
      // To go once more to where the page is already does not load it again.
      const load = isBroken ? page.reload(where[1]) : go(...where);
      isBroken = false;
      try {
        const answer = await load;
        if (left === 0 || !isBroken) return answer;
      } catch (thrown) {
        if (left === 0 || !String(thrown).includes("ERR_NETWORK_CHANGED")) throw thrown;
        isBroken = false;
      }
    }
  };
  return page;
}

/** What the browser complained of: a policy that was broken, a script that failed. An answer of 401 is none. */
function listenToComplaints(context: BrowserContext): readonly string[] {
  const complaints: string[] = [];
  context.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !/status of (401|403|404|503)|ERR_/.test(text)) complaints.push(text);
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  return complaints;
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds serious or critical on the page as it stands, in words. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate<readonly Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
