import { test } from "vitest";
import type { Given, Shortcoming } from "./ingress.scene.ts";

/** Makes a test, unless the ingress is known not to do what it asks for. */
export function unless({ shortcomings }: Pick<Given, "shortcomings">, shortcoming: Shortcoming) {
  return (name: string, body: () => Promise<void>): void => {
    if (!shortcomings.includes(shortcoming)) test(name, body);
  };
}
