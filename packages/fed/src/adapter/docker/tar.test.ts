import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { readContent, readTar } from "./tar-read.ts";
import { packTar, type TarEntry, tarEnd, tarHeader, tarPadding } from "./tar-write.ts";

const file = { mode: 0o640, changedMs: 1_700_000_000_000 };

describe("what is written", () => {
  it("is read by tar as it was meant", () => {
    const folder = makeFolder();
    const long = `${"d".repeat(90)}/${"ü".repeat(60)}/${"f".repeat(120)}`;
    const entries: readonly [TarEntry, Buffer][] = [
      [{ ...file, name: "sub", kind: "folder", mode: 0o755 }, Buffer.alloc(0)],
      [{ ...file, name: "sub/a", kind: "file", sizeBytes: 3 }, Buffer.from("abc")],
      [{ ...file, name: "sub/empty", kind: "file", sizeBytes: 0 }, Buffer.alloc(0)],
      [{ ...file, name: long, kind: "file", sizeBytes: 512 }, Buffer.alloc(512, "x")],
      [{ ...file, name: "short", kind: "link", target: "sub/a" }, Buffer.alloc(0)],
      [{ ...file, name: "far", kind: "link", target: `${"../".repeat(50)}ü` }, Buffer.alloc(0)],
      [{ ...file, name: "owned", kind: "file", sizeBytes: 1, uid: 3_000_000, gid: 7 }, Buffer.from("o")],
    ];
    const bytes = [...entries.flatMap(([entry, body]) => [tarHeader(entry), body, tarPadding(body.length)]), tarEnd];
    const { status, stderr } = spawnSync("tar", ["-xp", "--no-same-owner", "-C", folder], {
      input: Buffer.concat(bytes),
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(readFileSync(join(folder, "sub/a"), "utf8")).toBe("abc");
    expect(statSync(join(folder, "sub/a")).mode & 0o7777).toBe(0o640);
    expect(statSync(join(folder, "sub/a")).mtimeMs).toBe(1_700_000_000_000);
    expect(readFileSync(join(folder, long)).length).toBe(512);
    expect(readlinkSync(join(folder, "short"))).toBe("sub/a");
    expect(readlinkSync(join(folder, "far"))).toBe(`${"../".repeat(50)}ü`);
    const listed = spawnSync("tar", ["-tv", "--numeric-owner"], { input: Buffer.concat(bytes), encoding: "utf8" });
    expect(listed.stdout).toMatch(/ 3000000\/7 +1 .* owned/);
  });

  it("tells a size beyond 8 GiB", () => {
    const head = tarHeader({ ...file, name: "big", kind: "file", sizeBytes: 9 * 2 ** 30 });
    const listed = spawnSync("tar", ["-tv"], { input: head, encoding: "utf8" });
    expect(listed.stdout).toContain(` ${9 * 2 ** 30} `);
  });
});

describe("what is read", () => {
  it.each(["gnu", "pax", "ustar", "v7"])("is what tar wrote as %s", async (format) => {
    const folder = makeFolder();
    const long = `${"n".repeat(80)}/${"m".repeat(format === "v7" ? 10 : 90)}`;
    mkdirSync(join(folder, "in", "n".repeat(80)), { recursive: true });
    const content = randomBytes(70_000);
    writeFileSync(join(folder, "in", long), content);
    if (format !== "v7" && format !== "ustar") writeFileSync(join(folder, "in", "é".repeat(120)), "wide");
    symlinkSync(long.slice(0, 90), join(folder, "in/link"));
    const { stdout } = spawnSync("tar", ["-c", `--format=${format}`, "-C", join(folder, "in"), "."]);
    const seen = new Map<string, string>();
    let again = Buffer.alloc(0);
    for await (const part of readTar(inPieces(stdout, 1_000))) {
      const body: Uint8Array[] = [];
      for await (const chunk of part.body()) body.push(chunk);
      again = Buffer.concat([again, part.head, ...body]);
      const text = Buffer.concat(body).subarray(0, part.sizeBytes);
      seen.set(part.name, part.kind === "file" ? text.toString("hex") : part.kind);
    }
    expect(seen.get(`./${long}`)).toBe(content.toString("hex"));
    expect(seen.get("./link")).toBe("link");
    if (format === "gnu" || format === "pax") {
      expect(seen.get(`./${"é".repeat(120)}`)).toBe(Buffer.from("wide").toString("hex"));
    }
    expect(seen.get("./")).toBe("folder");
    // What was read makes the same archive again.
    expect(again.equals(stdout.subarray(0, again.length))).toBe(true);
    expect(stdout.subarray(again.length).every((byte) => byte === 0)).toBe(true);
  });

  it("is what was written, whatever the names and however the bytes come", async () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 200 }).filter((text) => !/[\0/]/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 1_500 })), { maxLength: 5 }),
        fc.integer({ min: 50, max: 2_000 }),
        async (files, pieceBytes) => {
          const named = files.map(([text, content]) => ({ ...file, name: Buffer.from(text).toString(), content }));
          const seen = [];
          for await (const part of readTar(inPieces(packTar(named), pieceBytes)))
            seen.push([part.name, (await readContent(part, 2_000)).toString("hex")]);
          expect(seen).toEqual(named.map((one) => [one.name, Buffer.from(one.content).toString("hex")]));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("skips what nobody reads, and closes its source when nobody goes on", async () => {
    const bytes = packTar(["a", "b", "c"].map((name) => ({ ...file, name, content: Buffer.alloc(5_000, name) })));
    const names = [];
    for await (const { name } of readTar(inPieces(bytes, 700))) names.push(name);
    expect(names).toEqual(["a", "b", "c"]);
    let closed = false;
    async function* source() {
      try {
        yield* inPieces(bytes, 700);
      } finally {
        closed = true;
      }
    }
    for await (const _ of readTar(source())) break;
    expect(closed).toBe(true);
  });

  it("is refused when it is no tar, or only a part of one", async () => {
    const bytes = packTar([{ ...file, name: "a", content: Buffer.alloc(3_000, 1) }]);
    const damaged = Buffer.from(bytes);
    damaged.write("b", 0);
    for (const wrong of [Buffer.alloc(600, 7), bytes.subarray(0, 2_000), bytes.subarray(0, 100), damaged]) {
      const read = async () => {
        for await (const _ of readTar(inPieces(wrong, 333)));
      };
      await expect(read()).rejects.toMatchObject({ code: "invalid" });
    }
    for await (const part of readTar(inPieces(bytes, 333)))
      await expect(readContent(part, 2_999)).rejects.toMatchObject({ code: "invalid" });
  });
});

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-tar-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
