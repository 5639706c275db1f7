import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { up } from "./stage.ts";

/** Somebody who opens the pages: the first link, the sign-in, and what they wait for. */

export const password = "a long enough password";
/** How long anything on the page may take to come; how quick it is is measured in bench/page.ts. */
export const patience = { timeout: 15_000 };

export async function enrol(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor(patience);
}

/** Where a person goes on: a cookie is good for the name of the link only. */
export const pagesOf = (hub: { readonly url: string }) => `http://fed.localhost:${new URL(hub.url).port}`;

export async function linkOf(hub: Awaited<ReturnType<typeof up>>): Promise<string> {
  const [link] = await hub.says(/http:\S+\/welcome#code=\S+/);
  expect(new URL(link).hostname).toBe("fed.localhost");
  return link;
}

/** Waits until the connection is told to be so; the mark is there twice, for wide and for narrow. */
export async function shows(page: Page, connection: string): Promise<void> {
  await page
    .getByLabel("Connection to the hub")
    .getByText(connection, { exact: true })
    .filter({ visible: true })
    .waitFor(patience);
}
