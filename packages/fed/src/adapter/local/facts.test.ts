import { hostname } from "node:os";
import fc from "fast-check";
import { expect, test } from "vitest";
import { machineFactsShape } from "#wire/machine.ts";
import { prettyNameOf, readLocalFacts } from "./facts.ts";

test("this machine says what it is, in the shape of the wire, the same each time", () => {
  const facts = readLocalFacts();
  expect(machineFactsShape.strict().parse(facts)).toEqual(facts);
  expect(facts.hostname).toBe(hostname());
  for (const text of [facts.os, facts.kernel, facts.architecture]) expect(text).toMatch(/\S/);
  expect(facts.cores).toBeGreaterThanOrEqual(1);
  // As bytes, not as any larger unit: no machine that runs this has less.
  expect(facts.memoryBytes).toBeGreaterThan(64 * 2 ** 20);
  expect(facts.bootedMs).toBeLessThan(Date.now());
  expect(facts.bootedMs % 1_000).toBe(0);
  const again = readLocalFacts();
  expect({ ...again, bootedMs: 0 }).toEqual({ ...facts, bootedMs: 0 });
  expect(Math.abs(again.bootedMs - facts.bootedMs)).toBeLessThanOrEqual(2_000);
});

test.each([
  ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n', "Debian GNU/Linux 12 (bookworm)"],
  ["NAME=Alpine\nPRETTY_NAME='Alpine Linux v3.20'\n", "Alpine Linux v3.20"],
  ["ID=arch\nPRETTY_NAME=Arch\n", "Arch"],
  ['PRETTY_NAME="The \\"Big\\" One, \\$5"\n', 'The "Big" One, $5'],
  ['NOT_PRETTY_NAME="x"\n# PRETTY_NAME="y"\n', undefined],
  ['PRETTY_NAME=""\n', undefined],
  ["", undefined],
])("%j is called %j", (text, name) => {
  expect(prettyNameOf(text)).toBe(name);
});

test("any name that is quoted as os-release says is read back", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^\r\n\u2028\u2029]{1,40}$/), (name) => {
      const quoted = name.replaceAll(/["$`\\]/g, "\\$&");
      expect(prettyNameOf(`ID=x\nPRETTY_NAME="${quoted}"\nVERSION=1\n`)).toBe(name);
    }),
  );
});
