import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { commandsOf } from "./machine-command.ts";

const machine = { name: "node5", mode: "ssh", origin: "lab" } as const;
const texts = (more: Partial<Parameters<typeof commandsOf>[0]>) =>
  commandsOf({ ...machine, ...more }).map(({ text }) => text);

test("how to reach it, what is known of it, and what can be done to it", () => {
  expect(texts({ address: "10.0.0.5", port: 2222, user: "ada", origin: "added" })).toEqual([
    "ssh -p 2222 ada@10.0.0.5",
    "fed machine show node5",
    "fed machine maintenance node5",
    "fed machine remove node5",
  ]);
  expect(texts({ mode: "local", address: "local", maintenance: { sinceMs: 1, reason: "" } })).toEqual([
    "fed machine show node5",
    "fed machine maintenance node5 --end",
  ]);
  expect(texts({ mode: "push", address: "203.0.113.9" })[0]).toBe("fed machine show node5");
});

test("whatever an address is, the shell reads it as one word", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: fc.constantFrom("a", " ", "'", '"', "$", "`", ";", "-", "\n", "é", "\\", "*") }),
      (user) => {
        const [line = ""] = texts({ address: "host", user });
        const said = execFileSync("sh", ["-c", `ssh() { printf '%s|' "$@"; }; ${line}`]).toString();
        expect(said).toBe(`${user}@host|`);
      },
    ),
    { numRuns: 60 },
  );
});
