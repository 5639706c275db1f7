/** For tests: a plain lab around some services, and what is wrong with it in short. */

import { checkLab } from "./lab.ts";

/** Changes replace whole maps of the base lab, which is right. */
export function plainLab(services: object, changes: object = {}): object {
  return {
    name: "ocean",
    machines: {
      hub: { kind: "server", address: "local" },
      node5: { kind: "server", address: "192.168.1.5" },
      node6: { kind: "server", address: "192.168.1.6" },
    },
    environments: {
      dev: { machines: ["hub"] },
      prod: { machines: ["node5", "node6"], promoteFrom: "dev" },
    },
    secrets: { KEY: {}, PROD_KEY: { in: ["prod"] } },
    services,
    ...changes,
  };
}

/** The smallest process and container. */
export const program = { run: { kind: "process", command: ["node", "x.js"] } };
export const container = { run: { kind: "image", reference: "postgres:17" }, port: 5432 };

/** `code path` of all diagnostics, in their order. */
export function wrongIn(value: unknown): readonly string[] {
  return checkLab(value).map(({ code, path }) => `${code} ${path}`);
}

/** What is wrong with a lab that has these services. */
export function wrongWith(services: object, changes: object = {}): readonly string[] {
  return wrongIn(plainLab(services, changes));
}

/** Whole sentences of all diagnostics. */
export function wordsOf(value: unknown): readonly string[] {
  return checkLab(value).map(({ message, hint }) => `${message} ${hint ?? ""}`.trim());
}
