import fc from "fast-check";
import { expect, test } from "vitest";
import { hashOf, type Link, walk } from "./chain.ts";

const word = fc.string({ maxLength: 12 });
const said = fc.record({
  atMs: fc.integer({ min: 0, max: 2 ** 45 }),
  type: word,
  actor: word,
  subject: word,
  correlation: word,
  data: fc.json({ maxDepth: 1 }),
});
const chains = fc.array(said, { minLength: 1, maxLength: 20 }).map((all) => {
  const links: Link[] = [];
  for (const one of all) {
    const link = { ...one, sequence: links.length + 1 };
    links.push({ ...link, hash: hashOf(links.at(-1)?.hash ?? "", link) });
  }
  return links;
});
const start = { sequence: 0, hash: "" };

test("a chain as it was written is sound, also from its middle", () => {
  fc.assert(
    fc.property(chains, fc.nat(), (links, at) => {
      const cut = at % links.length;
      const before = links[cut - 1] ?? start;
      const walked = walk({ sequence: before.sequence, hash: before.hash }, links.slice(cut));
      expect(walked).toEqual({ kind: "sound", head: { sequence: links.length, hash: links.at(-1)?.hash } });
    }),
  );
});

test("whatever is changed in one event, that event is named", () => {
  const changes = fc.oneof(
    fc.record({ field: fc.constant("atMs" as const), value: fc.integer({ min: 2 ** 45 + 1, max: 2 ** 46 }) }),
    fc.record({
      field: fc.constantFrom(
        "type" as const,
        "actor" as const,
        "subject" as const,
        "correlation" as const,
        "data" as const,
      ),
      value: word.map((text) => `${text}changed`),
    }),
    fc.record({ field: fc.constant("hash" as const), value: fc.constant("0".repeat(64)) }),
  );
  fc.assert(
    fc.property(chains, fc.nat(), changes, (links, at, { field, value }) => {
      const index = at % links.length;
      fc.pre(links[index]?.[field] !== value);
      const tampered = links.map((link, n) => (n === index ? { ...link, [field]: value } : link));
      expect(walk(start, tampered)).toMatchObject({ kind: "broken", sequence: index + 1 });
    }),
  );
});

test("an event that was taken out, or put in, is named", () => {
  fc.assert(
    fc.property(chains, fc.nat(), (links, at) => {
      fc.pre(links.length > 1);
      const index = at % (links.length - 1);
      const without = links.filter((_, n) => n !== index);
      expect(walk(start, without)).toMatchObject({
        kind: "broken",
        sequence: index + 1,
        reason: expect.stringContaining("missing"),
      });
      const renumbered = without.map((link, n) => ({ ...link, sequence: n + 1 }));
      expect(walk(start, renumbered)).toMatchObject({ kind: "broken", sequence: index + 1 });
    }),
  );
});
