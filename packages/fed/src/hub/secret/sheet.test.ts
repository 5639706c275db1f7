import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeMasterKey, masterKeyOf, readMasterKey, sheetLinesOf, textOfKey } from "./master-key.ts";
import { linesOfSheet, readSheetLines } from "./sheet.ts";
import { recoverySheet } from "./sheet-text.ts";

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("a recovery sheet", () => {
  test("is read back, whatever the key", () => {
    fc.assert(
      fc.property(bytes, (key) => {
        expect(new Uint8Array(readSheetLines(linesOfSheet(key).join("\n")))).toEqual(key);
      }),
    );
  });

  test("has four lines of four groups", () => {
    expect(linesOfSheet(new Uint8Array(32).fill(255))).toEqual([
      expect.stringMatching(/^1: {2}FZZZ ZZZZ ZZZZ Z[0-9A-Z]{3}$/),
      expect.stringMatching(/^2: {2}FZZZ ZZZZ ZZZZ Z[0-9A-Z]{3}$/),
      expect.stringMatching(/^3: {2}FZZZ ZZZZ ZZZZ Z[0-9A-Z]{3}$/),
      expect.stringMatching(/^4: {2}FZZZ ZZZZ ZZZZ Z[0-9A-Z]{3}$/),
    ]);
  });

  test("is read as people type it: small, with dashes, O for zero, in another order, with the words around", () => {
    const key = makeMasterKey();
    const lines = sheetLinesOf(key);
    const typed = lines.map((line) =>
      line
        .toLowerCase()
        .replaceAll(/(\w) (\w)/g, "$1-$2")
        .replaceAll("0", "o"),
    );
    expect(readMasterKey(typed.toReversed().join("\r\n")).id).toBe(key.id);
    expect(readMasterKey(recoverySheet(key, "environment", 0)).id).toBe(key.id);
    expect(readMasterKey(lines.map((line) => line.slice(2)).join(" ")).id).toBe(key.id);
  });

  test("one wrong letter is found with its line", () => {
    const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    // 15 bits of sum let one slip in 32,768 through; these three keys are looked at whole.
    for (const seed of [1, 2, 3]) {
      const lines = linesOfSheet(new Uint8Array(32).map((_, i) => (i * 31 + seed * 17) % 256));
      for (let line = 0; line < 4; line++) {
        for (let at = 4; at < 23; at++) {
          const right = lines[line]?.[at] ?? "";
          if (right === " ") continue;
          const wrong = letters[(letters.indexOf(right) + 7) % 32];
          const typed = lines.map((text, i) => (i === line ? text.slice(0, at) + wrong + text.slice(at + 1) : text));
          expect(() => readSheetLines(typed.join("\n"))).toThrow(`line ${line + 1} of the recovery sheet`);
        }
      }
    }
  });

  test.each([
    [
      "two lines exchanged",
      (l: readonly string[]) => [l[0], `2:${l[2]?.slice(2)}`, `3:${l[1]?.slice(2)}`, l[3]],
      "line 2",
    ],
    ["a line is missing", (l: readonly string[]) => [l[0], l[1], l[3]], "line 3"],
    ["a line twice", (l: readonly string[]) => [...l, l[0]], "there twice"],
  ])("%s", (_, spoil, says) => {
    const lines = sheetLinesOf(makeMasterKey());
    expect(() => readMasterKey(spoil(lines).join("\n"))).toThrow(says);
  });
});

describe("a master key", () => {
  test("is read from its text and from base64", () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        const key = masterKeyOf(raw);
        expect(readMasterKey(`${textOfKey(key)}\n`).id).toBe(key.id);
        expect(readMasterKey(Buffer.from(raw).toString("base64")).id).toBe(key.id);
      }),
    );
  });

  test("no text at all makes a key by accident, and no refusal repeats what it was given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom("password", "changeme", "a".repeat(42))), (text) => {
        try {
          readMasterKey(text);
          expect.unreachable();
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "invalid" });
          if (text.trim().length > 12) expect(String(thrown)).not.toContain(text.trim());
        }
      }),
    );
  });

  test("its id says nothing about it, and neither prints it", () => {
    const key = makeMasterKey();
    expect(key.id).toMatch(/^key_[0-9a-f]{10}$/);
    const secret = textOfKey(key);
    expect(JSON.stringify(key)).not.toContain(secret);
    expect(secret).toHaveLength(43);
  });
});
