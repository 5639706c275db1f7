import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readFileIfThere, writeFileAtomic } from "./atomic-file.ts";
import { asOrdinaryUser, startNode, tempFolder, thrownBy } from "./fixture.ts";

describe("writeFileAtomic", () => {
  it("makes and replaces a file, as text or bytes, and leaves nothing beside it", async () => {
    const folder = tempFolder();
    const path = join(folder, "größe 'x'.json");
    await writeFileAtomic(path, "old");
    expect(await readFileIfThere(path)).toBe("old");
    await writeFileAtomic(path, new TextEncoder().encode("new"));
    expect(await readFileIfThere(path)).toBe("new");
    await writeFileAtomic(path, "");
    expect(await readFileIfThere(path)).toBe("");
    expect(readdirSync(folder)).toEqual(["größe 'x'.json"]);
  });

  it("gives the mode it is told, whatever the umask; 0600 when told nothing", async () => {
    const folder = tempFolder();
    const mode = (name: string) => statSync(join(folder, name)).mode & 0o777;
    const before = process.umask(0o077);
    try {
      await writeFileAtomic(join(folder, "open"), "x", { mode: 0o664 });
      await writeFileAtomic(join(folder, "closed"), "x");
    } finally {
      process.umask(before);
    }
    expect(mode("open")).toBe(0o664);
    expect(mode("closed")).toBe(0o600);
  });

  it("replaces a symbolic link instead of writing through it", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "target"), "untouched");
    symlinkSync("target", join(folder, "link"));
    await writeFileAtomic(join(folder, "link"), "new");
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("untouched");
    expect(readFileSync(join(folder, "link"), "utf8")).toBe("new");
  });

  it("keeps every content whole when several write at once", async () => {
    const folder = tempFolder();
    const path = join(folder, "state");
    const contents = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(50_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["state"]);
  });

  it("sweeps what dead writers left, and nothing else", async () => {
    const folder = tempFolder();
    const dead = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
    const leave = (name: string, ageS = 0) => {
      writeFileSync(join(folder, name), "x");
      const at = Date.now() / 1000 - ageS;
      utimesSync(join(folder, name), at, at);
      return name;
    };
    leave(`.state.tmp-${dead}.0123456789ab`);
    leave(`.state.tmp-${process.pid}.0123456789ab`, 3600);
    const kept = [
      leave(`.state.tmp-${process.pid}.ba9876543210`),
      leave(`.other.tmp-${dead}.0123456789ab`),
      leave(`.state.tmp-mine`),
    ];
    await writeFileAtomic(join(folder, "state"), "new");
    expect(readdirSync(folder).sort()).toEqual([...kept, "state"].sort());
  });
});

describe("writeFileAtomic, killed", () => {
  it("leaves a whole old or a whole new content, and the next write leaves no temp files", async () => {
    const folder = tempFolder();
    const path = join(folder, "state");
    await writeFileAtomic(path, whole(0));
    let versions = 0;
    let piled = 0;
    for (let round = 0; round < 20; round++) {
      const writer = startNode(`
        const { writeFileAtomic } = await import(here + "atomic-file.ts");
        for (let i = ${round * 1e6}; ; i++) {
          await writeFileAtomic(${JSON.stringify(path)}, (${whole})(i));
          if (i === ${round * 1e6}) process.stdout.write("going\\n");
        }`);
      await writer.line();
      await delay(Math.random() * 25);
      await writer.kill();
      piled += readdirSync(folder).length - 1;
      const content = readFileSync(path, "utf8");
      const version = Number(content.slice(0, content.indexOf(":")));
      expect(content === whole(version)).toBe(true);
      expect(version).toBeGreaterThanOrEqual(round * 1e6);
      versions += version - round * 1e6;
    }
    await writeFileAtomic(path, "end");
    expect(readdirSync(folder)).toEqual(["state"]);
    // Else the kill never came at a moment that matters.
    expect(versions).toBeGreaterThan(0);
    expect(piled).toBeGreaterThan(0);
  });
});

/** Half a megabyte that shows at any byte which version it is of. */
function whole(version: number): string {
  return `${version}:${String(version % 10).repeat(500_000)}.`;
}

describe("faults of files", () => {
  it("names the path, keeps the old content and removes the temp file", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "file"), "old");
    const taken = join(folder, "taken");
    expect(await thrownBy(() => writeFileAtomic(taken, "x"))).toMatchObject({
      code: "conflict",
      message: `cannot write ${taken}: it is a folder`,
      hint: expect.stringContaining("another path"),
    });
    const lost = join(folder, "nowhere", "x");
    expect(await thrownBy(() => writeFileAtomic(lost, "x"))).toMatchObject({
      code: "missing",
      message: expect.stringContaining(lost),
    });
    const under = join(folder, "file", "x");
    expect(await thrownBy(() => writeFileAtomic(under, "x"))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining(under),
    });
    const long = join(folder, "x".repeat(300));
    expect(await thrownBy(() => writeFileAtomic(long, "x"))).toMatchObject({ code: "invalid" });
    expect(readdirSync(folder).sort()).toEqual(["file", "taken"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });

  it("says who is denied what", async () => {
    const folder = tempFolder();
    await chmod(folder, 0o755);
    const path = join(folder, "secret");
    writeFileSync(path, "old", { mode: 0o600 });
    if (process.getuid?.() !== 0) {
      await chmod(path, 0o000);
      await chmod(folder, 0o555);
    }
    const [write, read] = await asOrdinaryUser(async () => [
      await thrownBy(() => writeFileAtomic(path, "new")),
      await thrownBy(() => readFileIfThere(path)),
    ]);
    await chmod(folder, 0o755);
    expect(write).toMatchObject({ code: "denied", message: `cannot write ${path}: permission denied` });
    expect(read).toMatchObject({ code: "denied", message: `cannot read ${path}: permission denied` });
    expect(readdirSync(folder)).toEqual(["secret"]);
  });

  it("reads nothing where nothing is, and says so where a folder is", async () => {
    const folder = tempFolder();
    expect(await readFileIfThere(join(folder, "none"))).toBeUndefined();
    expect(await readFileIfThere(join(folder, "none", "none"))).toBeUndefined();
    expect(await thrownBy(() => readFileIfThere(folder))).toMatchObject({ code: "conflict" });
  });
});

/** A mount of our own needs rights that not every machine gives; where it does not, there is nothing to test on. */
const ownMount = (script: string) => ["unshare", ["--map-root-user", "--mount", "sh", "-ec", script]] as const;
const canMount = (() => {
  try {
    const [command, args] = ownMount("mount -t tmpfs none /mnt");
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe("a full disk", () => {
  it.skipIf(!canMount)("is a Fault with a hint; the old content stays and no temp file", async () => {
    const folder = tempFolder();
    const code = `
      const { writeFileAtomic, readFileIfThere } = await import(${JSON.stringify(new URL("./atomic-file.ts", import.meta.url).href)});
      const { openDatabase } = await import(${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)});
      const { readdirSync } = await import("node:fs");
      const path = ${JSON.stringify(join(folder, "state"))};
      await writeFileAtomic(path, "old");
      const file = await writeFileAtomic(path, "x".repeat(2e6)).catch(({ code, message, hint }) => ({ code, message, hint }));
      const after = [await readFileIfThere(path), readdirSync(${JSON.stringify(folder)})];
      const db = openDatabase(${JSON.stringify(join(folder, "db"))});
      db.tx((tx) => tx.script("CREATE TABLE t (x TEXT) STRICT"));
      let full;
      try {
        db.tx((tx) => { for (;;) tx.run("INSERT INTO t VALUES (:x)", { x: "x".repeat(10_000) }); });
      } catch ({ code, message, hint }) { full = { code, message, hint }; }
      const rows = db.prepare("SELECT count(*) AS n FROM t", (row) => row.n).first();
      db.close();
      process.stdout.write(JSON.stringify({ file, after, full, rows }));`;
    const [command, args] = ownMount(
      `mount -t tmpfs -o size=256k none '${folder}'; exec "$0" --input-type=module -e "$1"`,
    );
    const out = JSON.parse(execFileSync(command, [...args, process.execPath, code], { encoding: "utf8" }));
    expect(out.file).toEqual({
      code: "unreachable",
      message: `cannot write ${join(folder, "state")}: the disk is full`,
      hint: `Make room: df -h '${folder}'`,
    });
    expect(out.after).toEqual(["old", ["state"]]);
    expect(out.full).toMatchObject({ code: "unreachable", message: expect.stringContaining("the disk is full") });
    expect(out.rows).toBe(0);
  });
});
