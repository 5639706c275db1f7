import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "../../packages/fed/src/port/engine.scene.ts";
import { describeEngines } from "./engines.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, statusOf, until, up } from "./stage.ts";

/** What people say of a service by hand, its data and its output: what stays over everything, and what goes when somebody says so. */

/** Each start is a line in the volume, which is told with what the lab says. */
const script = [
  "mkdir -p /www",
  "echo start >>/data/starts",
  'echo "$WORD $(busybox wc -l </data/starts)" > /www/index.html',
  "echo seen >/photos/seen",
  "exec httpd -f -p 8080 -h /www",
].join("; ");

interface Words {
  readonly word: string;
  readonly box?: boolean;
  readonly spare?: boolean;
}

function labText(engine: Engine, photos: string, { word, box = true, spare = false }: Words): string {
  const boxText = `
    box: {
      run: image("localhost/fed-box:1"),
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "box.localhost",
      env: { WORD: "${word}" },
      volumes: {
        data: { at: "/data" },
        photos: { at: "/photos", host: ${JSON.stringify(photos)} },
        ${spare ? 'spare: { at: "/spare" },' : ""}
      },
      stopGrace: "1s",
      settle: "100ms",
    },`;
  return `import { defineLab, ${engine.kind}, http, image, process, server } from "@fed/lab";
export default defineLab({
  name: "boxes",
  machines: { hub: server({ address: "local", engine: ${engine.kind}({ socket: "${engine.socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    notes: { run: process("node api/server.mjs"), health: http("/health"), settle: "100ms", volumes: { pages: {} } },
    web: {
      run: image("localhost/fed-web:1"),
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "web.localhost",
      env: { WORD: "${word}" },
      stopGrace: "1s",
      settle: "100ms",
    },${box ? boxText : ""}
  },
});
`;
}

/** FED_PROOF: as much as an engine must not keep ten times over. */
const floodBytes = process.env.FED_PROOF === "1" ? 100_000_000 : 30_000_000;

const loudText = (engine: Engine) => `import { defineLab, ${engine.kind}, http, image, server } from "@fed/lab";
export default defineLab({
  name: "boxes",
  machines: { hub: server({ address: "local", engine: ${engine.kind}({ socket: "${engine.socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    loud: {
      run: image("localhost/fed-loud:1"),
      port: 8080,
      health: http("/", { every: "200ms", within: "2m" }),
      stopGrace: "1s",
      settle: "100ms",
    },
  },
});
`;

/** Of the files in which an engine keeps the output of a container. */
async function sizesOf(folder: string, container: string): Promise<readonly number[]> {
  const names = await readdir(folder, { recursive: true });
  const isOutput = (name: string) => name.includes(container) && /(?:-json\.log(?:\.\d+)?|\/ctr\.log)$/.test(name);
  const sizes = await Promise.all(names.filter(isOutput).map(async (name) => (await stat(join(folder, name))).size));
  expect(sizes.length).toBeGreaterThan(0);
  return sizes;
}

async function makeBoxes(engine: Engine) {
  engine.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-box:1");
  const plain = 'mkdir -p /www; echo "$WORD" > /www/index.html; exec httpd -f -p 8080 -h /www';
  engine.run("tag", engine.image(["sh", "-c", plain]), "localhost/fed-web:1");
  const stage = await makeStage();
  const photos = join(dirname(stage.lab), "photos");
  await mkdir(photos);
  const say = (words: Words) => writeFile(stage.lab, labText(engine, photos, words));
  const fed = (...words: readonly string[]) => runFed([...words, "--data", stage.data]);
  const running = (service: string) =>
    engine.run("ps", "-q", "--filter", `label=fed.service=${service}`).split("\n").filter(Boolean);
  const count = (service: string, wanted: number) =>
    until(`${wanted} of ${service}`, async () => (running(service).length === wanted ? true : undefined));
  const ready = () => until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 60_000);
  const says = (ingress: number, host: string, text: string) =>
    until(
      text,
      async () =>
        (await ask(ingress, `${host}.localhost`).catch(() => undefined))?.body === `${text}\n` ? true : undefined,
      60_000,
    );
  const rolledOut = (service: string, rollouts: number) =>
    until(`${rollouts} rollouts of ${service}`, async () => {
      const { out } = await fed("releases", service, "--json");
      const told = JSON.parse(out) as { readonly rollouts: readonly { readonly state: string }[] };
      return told.rollouts.length === rollouts && told.rollouts[0]?.state === "done" ? true : undefined;
    });
  const volumes = () => engine.run("volume", "ls", "-q").split("\n").filter(Boolean);
  return { stage, photos, say, fed, running, count, ready, says, rolledOut, volumes };
}

describeEngines("services of", (kind, engineOf) => {
  test("stay as somebody said by hand, over a hub's end, a release, a rollback and a crash of the engine", async () => {
    const engine = engineOf();
    const { stage, say, fed, running, count, ready, says, rolledOut } = await makeBoxes(engine);
    await say({ word: "one" });
    const hub = await up(stage);
    await ready();
    await says(hub.ingress, "box", "one 1");
    expect(await fed("stop", "box")).toMatchObject({ code: 0 });
    expect(await fed("scale", "web", "3")).toMatchObject({ code: 0 });
    await Promise.all([count("box", 0), count("web", 3)]);

    hub.child.kill("SIGTERM");
    await hub.ending;
    const next = await up(stage);
    await ready();
    await Promise.all([count("box", 0), count("web", 3)]);
    await say({ word: "two" });
    await Promise.all([rolledOut("web", 2), rolledOut("box", 2)]);
    await says(next.ingress, "web", "two");
    await Promise.all([count("box", 0), count("web", 3)]);
    expect(await fed("rollback", "web", "--wait")).toMatchObject({ code: 0 });
    await says(next.ingress, "web", "one");
    await count("web", 3);

    // The data is that of before, whatever ran in between.
    expect(await fed("start", "box")).toMatchObject({ code: 0 });
    await says(next.ingress, "box", "two 2");
    expect(await fed("rollback", "box", "--wait")).toMatchObject({ code: 0 });
    await says(next.ingress, "box", "one 3");
    const before = running("web");
    expect(await fed("restart", "web")).toMatchObject({ code: 0 });
    await until("new instances", async () => {
      const now = running("web");
      return now.length === 3 && now.every((id) => !before.includes(id)) ? true : undefined;
    });
    await ready();

    // As after a power cut: first the engine alone, then with the hub.
    await engine.crash();
    await says(next.ingress, "box", "one 4");
    await count("web", 3);
    await ready();
    next.child.kill("SIGKILL");
    await next.ending;
    await engine.crash();
    const last = await up(stage);
    await says(last.ingress, "box", "one 5");
    await says(last.ingress, "web", "one");
    await count("web", 3);
    expect(await fed("scale", "web", "lab")).toMatchObject({ code: 0 });
    await count("web", 1);
    expect(await fed("down")).toMatchObject({ code: 0 });
    await last.ending;
  }, 240_000);

  test("leave the end of what they wrote, however much that was", async () => {
    const engine = engineOf();
    const stage = await makeStage();
    const fed = (...words: readonly string[]) => runFed([...words, "--data", stage.data]);
    const lines = floodBytes / 1_000;
    const write = `BEGIN { s = sprintf("%980s", "x"); for (i = 1; i <= ${lines}; i++) print "line", i, s }`;
    const loud = `busybox awk '${write}'; echo last; mkdir /www; echo ok >/www/index.html; exec httpd -f -p 8080 -h /www`;
    engine.run("tag", engine.image(["sh", "-c", loud]), "localhost/fed-loud:1");
    await writeFile(stage.lab, loudText(engine));
    const hub = await up(stage);
    const ids = () => engine.run("ps", "-aq", "--no-trunc", "--filter", "label=fed.service=loud").split("\n");
    const [first = ""] = ids();
    const heldBytes = (await sizesOf(engine.folder, first)).reduce((sum, size) => sum + size, 0);
    // Two files of 10 MB, and what the engine writes around each line.
    expect(heldBytes).toBeLessThan(26 * 2 ** 20);
    expect(await fed("restart", "loud")).toMatchObject({ code: 0 });
    const gone = await until(
      "the output of what is gone",
      async () => {
        const { out } = await fed("logs", "loud", "--list", "--json");
        return (JSON.parse(out) as readonly { readonly instance: string; readonly sizeBytes: number }[])[0];
      },
      60_000,
    );
    await until("its removal", async () => (ids().includes(first) ? undefined : true));
    const kept = (await readFile(join(stage.data, "logs/dev/loud", `${gone.instance}.log`), "utf8")).trimEnd();
    const told = kept.split("\n").map((line) => line.slice(line.indexOf("\t") + 1));
    expect(told.at(-1)).toBe("last");
    const numbers = told.slice(0, -1).map((line) => Number(/^line (\d+) /.exec(line)?.[1]));
    expect(numbers.findIndex((number, at) => number !== lines - numbers.length + 1 + at)).toBe(-1);
    // Podman begins its one file anew when it is full: what is left then is what came since.
    if (kind === "docker") expect(kept.length).toBeGreaterThan(10 * 10 ** 6);
    expect(gone.sizeBytes).toBeLessThan(22 * 2 ** 20);
    const { out } = await fed("logs", "loud", "--instance", gone.instance, "-n", "3");
    expect(out.split("\n").slice(-2)).toEqual(["last", ""]);
    expect(await fed("down")).toMatchObject({ code: 0 });
    await hub.ending;
  }, 180_000);

  test("lose their data with a second word, and nobody else does", async () => {
    const engine = engineOf();
    const { stage, photos, say, fed, running, says, rolledOut, volumes, ready } = await makeBoxes(engine);
    for (const one of volumes()) engine.run("volume", "rm", one);
    const strangers = ["fed_boxes_dev_box_other", "somebody"];
    for (const name of strangers) engine.run("volume", "create", name);
    const beside = engine.run("create", "--network", "none", "-v", "somebody:/data", engine.image(["true"]));
    await say({ word: "one", spare: true });
    const hub = await up(stage);
    await ready();
    await says(hub.ingress, "box", "one 1");

    expect(await fed("destroy", "box")).toMatchObject({
      ...{ code: 5, err: expect.stringContaining("dev/box keeps data in fed_boxes_dev_box_data") },
    });
    expect(await fed("destroy", "box", "--with-data")).toMatchObject({
      ...{ code: 2, err: expect.stringContaining("nobody to ask") },
    });
    expect(running("box")).toHaveLength(1);

    // One volume is taken out of the lab: it stays until somebody says so.
    await say({ word: "two" });
    await rolledOut("box", 2);
    await says(hub.ingress, "box", "two 2");
    const told = "dev/box: fed_boxes_dev_box_spare on hub. To remove it for good: fed destroy dev/box --unused";
    expect((await fed("status")).out).toContain(told);
    expect(await fed("destroy", "box", "--unused", "--yes")).toMatchObject({
      ...{ code: 0, out: "fed_boxes_dev_box_spare is gone\n" },
    });
    expect((await fed("status")).out).not.toContain("no longer names");
    await says(hub.ingress, "box", "two 2");

    const { code, out } = await fed("destroy", "box", "--with-data", "--yes", "--json");
    expect({ code, told: JSON.parse(out) }).toEqual({
      ...{ code: 0, told: { environment: "dev", service: "box", volumes: ["fed_boxes_dev_box_data"] } },
    });
    expect(running("box")).toEqual([]);
    expect(volumes().sort()).toEqual(strangers);
    expect(await readFile(join(photos, "seen"), "utf8")).toBe("seen\n");
    expect((await fed("events", "-n", "50")).out).toContain("fed_boxes_dev_box_data");
    expect(await fed("start", "box")).toMatchObject({ code: 0 });
    await says(hub.ingress, "box", "two 1");

    // A process: its folder, and not what others keep.
    const folder = join(stage.data, "volumes/dev/notes/pages");
    await writeFile(join(folder, "page"), "x");
    expect(await fed("destroy", "notes", "--yes")).toMatchObject({ code: 5 });
    expect(await fed("destroy", "notes", "--with-data", "--yes")).toMatchObject({ code: 0 });
    await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" });

    // The whole service is taken out.
    await say({ word: "two", box: false });
    await until("the end of what the lab has no more", async () => (running("box").length === 0 ? true : undefined));
    expect((await fed("status")).out).toContain(
      "dev/box: fed_boxes_dev_box_data on hub. To remove it for good: fed destroy dev/box --with-data",
    );
    expect(await fed("destroy", "box", "--with-data", "--yes")).toMatchObject({
      ...{ code: 0, out: "dev/box has ended, and fed_boxes_dev_box_data is gone\n" },
    });
    expect(await fed("destroy", "box", "--with-data", "--yes")).toMatchObject({ code: 4 });
    expect(volumes().sort()).toEqual(strangers);
    expect(engine.run("ps", "-aq", "--no-trunc")).toContain(beside);
    expect(await fed("down")).toMatchObject({ code: 0 });
    await hub.ending;
  }, 180_000);
});
