import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startNode, tempFolder, thrownBy } from "./fixture.ts";
import { ensureFolder } from "./folder.ts";

describe("ensureFolder", () => {
  it("makes the folder and its parents, for its user alone, and keeps one that is there", async () => {
    const base = tempFolder();
    const path = join(base, "a", "b c");
    await ensureFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    chmodSync(path, 0o755);
    await ensureFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it("says what is in the way", async () => {
    const base = tempFolder();
    const file = join(base, "file");
    writeFileSync(file, "");
    expect(await thrownBy(() => ensureFolder(file))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining(file),
    });
    expect(await thrownBy(() => ensureFolder(join(file, "x")))).toMatchObject({ code: "conflict" });
    expect(await thrownBy(() => ensureFolder(`${base}/\0`))).toMatchObject({ code: "invalid" });
  });

  it("refuses a folder that cannot be used", async () => {
    const base = tempFolder();
    const path = join(base, "closed");
    await ensureFolder(path);
    chmodSync(base, 0o755);
    chmodSync(path, 0o500);
    const child = startNode(
      `const { ensureFolder } = await import(here + "folder.ts");
      const fault = await ensureFolder(${JSON.stringify(path)}).catch((thrown) => thrown);
      process.stdout.write(JSON.stringify({ code: fault?.code, hint: fault?.hint }) + "\\n");`,
      "ordinary user",
    );
    expect(JSON.parse(await child.line())).toMatchObject({ code: "denied", hint: expect.stringContaining("ls -ld") });
  });
});
