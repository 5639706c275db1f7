import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives, refuses } from "../hub.scene.ts";

const hostKey = {
  known: [{ type: "ssh-ed25519", fingerprint: "SHA256:known" }],
  offered: { type: "ssh-ed25519", fingerprint: "SHA256:other" },
  sinceMs: 0,
};
const machine = {
  ...{
    name: "node5",
    kind: "server",
    labels: {},
    mode: "ssh",
    origin: "lab",
    state: "offline",
    detail: "",
    sinceMs: 0,
  },
  ...{ services: [], intervalMs: 10_000, problems: [], tally: {} },
};

const status = {
  ...{ lab: { name: "ocean", hash: "ab", file: "/l.ts", acceptedMs: 0 }, ready: true, ingress: "http://127.0.0.1:1" },
  ...{ environments: [], services: [] },
};

describe("credential list", () => {
  test("has names, for whom, and which cannot be opened", async () => {
    const credentials = [
      { name: "ssh-key", setMs: 0, setBy: "local" },
      { name: "ssh-key", machine: "node5", setMs: 0, setBy: "user:ada", lost: true },
    ];
    const desk = await makeDesk({ "/api/v1/credentials": () => gives({ credentials }) });
    const { out } = await desk.fed("credential", "list");
    expect(out).toMatch(/^ssh-key {5}all {6}.* local *$/m);
    expect(out).toMatch(/^ssh-key {5}node5 {4}.* user:ada {2}its master key is lost$/m);
    expect(JSON.parse((await desk.fed("credential", "list", "--json")).out)).toEqual(credentials);
  });

  test("says what to do while there is nothing", async () => {
    const desk = await makeDesk({ "/api/v1/credentials": () => gives({ credentials: [] }) });
    expect((await desk.fed("credential", "list")).out).toContain(
      "fed credential set ssh-key --machine NAME --file FILE",
    );
  });
});

describe("credential set and remove", () => {
  test("take a name that logging in knows, and no value in the words", async () => {
    const desk = await makeDesk({});
    expect(await desk.fed("credential", "set", "ssh-pasword")).toMatchObject({
      code: 2,
      err: expect.stringContaining("ssh-password"),
    });
    expect(await desk.fed("credential", "set", "ssh-password", "hunter2")).toMatchObject({ code: 2 });
    expect(desk.hub.asked).toEqual([]);
  });

  test("a value is read from its file", async () => {
    const desk = await makeDesk({
      "/api/v1/credentials/ssh-key": () => gives({ done: true }),
      "/api/v1/machines": () => gives({ machines: [] }),
    });
    const path = join(desk.home, "key");
    await writeFile(path, "the key\n");
    expect(await desk.fed("credential", "set", "ssh-key", "--machine", "node5", "--file", path)).toEqual({
      code: 0,
      out: "ssh-key of node5 is in the vault\n",
      err: "there is no machine node5 in the fleet yet\n",
    });
    expect(desk.hub.asked[0]?.body).toEqual({ machine: "node5", value: "the key\n" });
    expect(await desk.fed("credential", "set", "ssh-key", "--file", "/dev/zero")).toMatchObject({ code: 2 });
    expect(await desk.fed("credential", "set", "ssh-key", "--file", desk.home)).toMatchObject({ code: 2 });
  });

  test("remove asks a person, or is told --yes", async () => {
    const desk = await makeDesk({ "/api/v1/credentials/ssh-key/remove": () => gives({ done: true }) });
    expect(await desk.fed("credential", "remove", "ssh-key")).toMatchObject({ code: 2, out: "" });
    expect(await desk.fed("credential", "remove", "ssh-key", "--machine", "node5", "--yes")).toMatchObject({
      code: 0,
      out: "ssh-key of node5 is gone\n",
    });
    expect(desk.hub.asked.map(({ body }) => body)).toEqual([{ machine: "node5" }]);
  });
});

describe("machine trust", () => {
  test("accepts the key that a script names", async () => {
    const desk = await makeDesk({ "/api/v1/machines/node5/trust": () => gives(machine) });
    expect(await desk.fed("machine", "trust", "node5", "--fingerprint", "SHA256:other")).toMatchObject({
      code: 0,
      out: "node5 is known by SHA256:other from now on\n",
    });
    expect(desk.hub.asked.map(({ body }) => body)).toEqual([{ fingerprint: "SHA256:other" }]);
  });

  test("nothing is accepted where nobody can be asked, nor when there is nothing to accept", async () => {
    const replies = { "/api/v1/machines/node5": () => gives({ ...machine, hostKey }) };
    const desk = await makeDesk(replies);
    expect(await desk.fed("machine", "trust", "node5")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--fingerprint"),
    });
    const calm = await makeDesk({ "/api/v1/machines/node5": () => gives(machine) });
    expect(await calm.fed("machine", "trust", "node5")).toMatchObject({
      code: 4,
      err: expect.stringContaining("no other key"),
    });
    expect([...desk.hub.asked, ...calm.hub.asked].map(({ path }) => path)).not.toContain(
      "/api/v1/machines/node5/trust",
    );
  });
});

describe("the master key", () => {
  test("a locked vault is the status' last word, and its exit code", async () => {
    const vault = { sinceMs: 0, message: "the vault is locked: it is not there", hint: "fed key restore SHEET" };
    const desk = await makeDesk({ "/api/v1/status": () => gives({ ...status, vault }) });
    const { code, out } = await desk.fed("status");
    expect(code).toBe(3);
    expect(out).toMatch(/The vault is locked: it is not there\nfed key restore SHEET\n$/);
  });

  test("its sheet is alone on stdout", async () => {
    const text = "fed: recovery sheet\n\n    1:  AAAA";
    const desk = await makeDesk({ "/api/v1/key/sheet": () => gives({ id: "key_1", text }) });
    expect(await desk.fed("key", "sheet")).toEqual({ code: 0, out: `${text}\n`, err: "" });
  });

  test("a rotation says how many, and what to print", async () => {
    const vault = { sinceMs: 0, message: "the vault is sealed by FED_KEY_NEXT", hint: "Start fed with it as FED_KEY." };
    const desk = await makeDesk({
      "/api/v1/key/rotate": () => gives({ from: "key_1", to: "key_2", secrets: 1 }),
      "/api/v1/status": () => gives({ ...status, vault }),
    });
    const { out, err } = await desk.fed("key", "rotate");
    expect(out).toBe("1 secret sealed by key_2; key_1 is no more\n");
    expect(err).toContain("fed key sheet");
    expect(err).toContain("Start fed with it as FED_KEY.");
  });

  test("restore reads the sheet from its file", async () => {
    const desk = await makeDesk({ "/api/v1/key/restore": () => gives({ id: "key_1", secrets: 2 }) });
    const path = join(desk.home, "sheet.txt");
    await writeFile(path, "1: AAAA\n");
    expect(await desk.fed("key", "restore", path)).toMatchObject({ code: 0, out: "key_1 is back: 2 secrets open\n" });
    expect(desk.hub.asked.map(({ body }) => body)).toEqual([{ text: "1: AAAA\n" }]);
    expect(await desk.fed("key", "restore", `${path}.gone`)).toMatchObject({ code: 4 });
    await writeFile(path, "x".repeat(70_000));
    expect(await desk.fed("key", "restore", path)).toMatchObject({ code: 2 });
  });

  test("starting over asks a person, or is told --yes; what stays sealed is said", async () => {
    const desk = await makeDesk({ "/api/v1/key/start-over": () => gives({ to: "key_2", kept: 3 }) });
    expect(await desk.fed("key", "start-over")).toMatchObject({ code: 2, out: "" });
    const { out } = await desk.fed("key", "start-over", "-y");
    expect(out).toContain("key_2 seals the vault from now on");
    expect(out).toContain("3 secrets stay sealed by the lost key");
  });

  test("what the hub refuses is said as it is", async () => {
    const desk = await makeDesk({ "/api/v1/key/start-over": () => refuses("conflict", "the master key is not lost") });
    expect(await desk.fed("key", "start-over", "-y")).toMatchObject({
      code: 5,
      err: expect.stringContaining("not lost"),
    });
  });
});
