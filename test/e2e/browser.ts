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
      const page = await context.newPage();
      return { context, page, complaints: listenToComplaints(context) };
    },
  };
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
