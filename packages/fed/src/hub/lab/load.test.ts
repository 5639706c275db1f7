import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DiagnosticCode } from "@fed/lab";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { type LoadedLab, type LoadOptions, loadLab, type RejectedLab } from "./load.ts";
import { locateLab } from "./locate.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fed-load-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = 'import { defineLab, process as run, server } from "@fed/lab";\n';
const value = (name = "ocean") =>
  `{ name: "${name}", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } }, services: { web: { run: run("node web.mjs") } } }`;
const good = (name?: string) => `${head}export default defineLab(${value(name)});\n`;

/** Writes files (paths below the test's folder) and returns the path of the first. */
function write(files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, Object.keys(files)[0] ?? "");
}

const options: LoadOptions = { clock: systemClock };

async function loaded(path: string): Promise<LoadedLab> {
  const lab = await loadLab(path, options);
  if (lab.kind === "rejected") throw new Error(`rejected: ${JSON.stringify(lab.diagnostics)}`);
  return lab;
}

async function rejected(path: string, other: LoadOptions = options): Promise<RejectedLab> {
  const lab = await loadLab(path, other);
  if (lab.kind === "loaded") throw new Error("loaded");
  return lab;
}

/** Expects a lab with this text to be rejected for one reason, at a line and column of lab.ts. */
async function expectWrong(text: string, code: DiagnosticCode, message: RegExp, place?: `${number}:${number}`) {
  const { diagnostics, files, printed } = await rejected(write({ "lab/lab.ts": text }));
  expect(diagnostics).toHaveLength(1);
  const [{ at, ...diagnostic } = { at: undefined }] = diagnostics;
  expect(diagnostic).toMatchObject({ code, severity: "error", message: expect.stringMatching(message) });
  if (place !== undefined) {
    expect(at?.file).toBe(join(folder, "lab/lab.ts"));
    expect(`${at?.line}:${at?.column}`).toBe(place);
  }
  expect(files).toContain(join(folder, "lab/lab.ts"));
  return { ...diagnostic, printed };
}

describe("a good lab", () => {
  it("is loaded with its document, text, hash, files and what it printed", async () => {
    const path = write({
      "lab/lab.ts": `console.log("hello %s", "you", { a: [1] });\nconsole.error("oh");\n${good()}`,
    });
    const lab = await loaded(path);
    expect(lab).toMatchObject({ file: path, folder: join(folder, "lab"), files: [path], warnings: [] });
    expect(lab.document.services.web?.run).toEqual({ kind: "process", command: ["node", "web.mjs"] });
    expect(JSON.parse(lab.text)).toEqual(lab.document);
    expect(lab.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(lab.printed).toBe("hello you { a: [ 1 ] }\noh\n");
    expect(Object.isFrozen(lab.document.services)).toBe(true);
  });

  it("is found in its folder, also through a link to the folder", async () => {
    write({ "lab/lab.ts": good() });
    symlinkSync(join(folder, "lab"), join(folder, "short"));
    expect((await loaded(join(folder, "short"))).file).toBe(join(folder, "lab/lab.ts"));
  });

  it("may be made of several files of its folder, TypeScript, JavaScript and JSON", async () => {
    const path = write({
      "lab/lab.ts": 'export { default } from "./more/lab.ts";\n',
      "lab/more/lab.ts": `${head}import { name } from "../name.mjs";\nimport data from "./data.json" with { type: "json" };\nexport default defineLab({ ...${value()}, name: name + data.end });\n`,
      "lab/name.mjs": 'export const name = "is";',
      "lab/more/data.json": '{ "end": "land" }',
    });
    const lab = await loaded(path);
    expect(lab.document.name).toBe("island");
    expect(lab.files.map((file) => file.slice(folder.length)).sort()).toEqual(
      ["/lab/lab.ts", "/lab/more/data.json", "/lab/more/lab.ts", "/lab/name.mjs"].sort(),
    );
  });

  it("may wait at its top level, and have timers left", async () => {
    const wait = "await new Promise((resolve) => setTimeout(resolve, 5));\nsetInterval(() => {}, 1_000);\n";
    expect((await loaded(write({ "lab.ts": wait + good() }))).document.name).toBe("ocean");
  });

  it.each([
    ["CRLF", good().replaceAll("\n", "\r\n")],
    ["a byte order mark", `\u{feff}${good()}`],
  ])("may be written with %s", async (_, text) => {
    expect((await loaded(write({ "lab.ts": text }))).document.name).toBe("ocean");
  });

  it.each(["with space", "q\"uo'te", "a#b?c%41", "größe-海", "comma,star*", "-dash", "$(x)`y`\\z"])(
    "may lie in a folder called %s",
    async (name) => {
      const path = write({ [`${name}/lab.ts`]: `import "./part.ts";\n${good()}`, [`${name}/part.ts`]: "export {};" });
      expect((await loaded(path)).files).toEqual([path, join(folder, name, "part.ts")]);
      write({ [`${name}/lab.ts`]: "export default null!;\n\nnope();" });
      const [diagnostic] = (await rejected(path)).diagnostics;
      expect(diagnostic?.at).toEqual({ file: path, line: 3, column: 1 });
    },
  );

  it("uses the installation's own @fed/lab, whatever lies beside it", async () => {
    const path = write({
      "lab/lab.ts": good(),
      "lab/node_modules/@fed/lab/package.json": '{ "exports": "./index.js" }',
      "lab/node_modules/@fed/lab/index.js": "throw new Error('not this one')",
      "lab/package.json": '{ "type": "commonjs" }',
    });
    expect((await loaded(path)).files).toEqual([path]);
  });
});

describe("a path that is no lab", () => {
  const fault = (path: string) => loadLab(path, options).catch((thrown: unknown) => thrown);

  it.each<[string, (path: string) => void, Fault["code"], RegExp]>([
    ["does not exist", () => {}, "missing", /no lab at/],
    ["is a folder without lab.ts", (path) => mkdirSync(path), "missing", /no lab at .*x\/lab\.ts/],
    [
      "is a folder with a folder lab.ts",
      (path) => mkdirSync(join(path, "lab.ts"), { recursive: true }),
      "invalid",
      /not a file/,
    ],
    [
      "is 20 MB large",
      (path) => writeFileSync(path, " ".repeat(20_000_000)),
      "invalid",
      /19\.1 MiB, and 8\.0 MiB is the limit/,
    ],
    ["is a link in a circle", (path) => symlinkSync(path, path), "invalid", /ELOOP/],
    ["is a link out of its folder", (path) => symlinkSync("/etc/passwd", path), "denied", /leads out/],
  ])("%s", async (_, make, code, message) => {
    make(join(folder, "x"));
    const thrown = await fault(join(folder, "x"));
    expect(thrown).toBeInstanceOf(Fault);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) });
  });
});

describe("a lab that does not run", () => {
  it.each<[string, string, DiagnosticCode, RegExp, `${number}:${number}`?]>([
    ["has a mistake of syntax", "const a = 1;\n  const b = ;\n", "syntax", /Expression expected/, "2:13"],
    [
      "has one that only V8 sees",
      "export const a = 1;\n  export const a: number = 2;\n",
      "syntax",
      /already been declared/,
      "2:16",
    ],
    ["has an enum", "const a = 1;\nenum E { A }\n", "syntax", /cannot have an enum/, "2:1"],
    [
      "has a parameter property",
      "class A { constructor(private a: number) {} }\n",
      "syntax",
      /cannot have a parameter property/,
      "1:31",
    ],
    ["is binary", "\0\u0001\u0002", "syntax", /not a text file/],
    ["is empty", "", "no-lab", /no default export/],
    ["exports nothing", `${head}defineLab(${value()});`, "no-lab", /no default export/],
    [
      "exports a promise",
      `${head}export default Promise.resolve(defineLab(${value()}));`,
      "no-lab",
      /exports a promise/,
    ],
    ["exports a function", "export default () => 1;", "no-lab", /exports a function/],
    ["exports a plain object", `${head}export default ${value()};`, "no-lab", /defineLab did not make/],
    ["exports a copy", `${head}export default { ...defineLab(${value()}) };`, "no-lab", /defineLab did not make/],
    ["exports a text", 'export default "lab";', "no-lab", /exports string/],
    ["throws an error", 'const a = 1;\n\n  throw new TypeError("broken");', "thrown", /threw TypeError: broken/, "3:9"],
    ["throws a text", 'throw "broken";', "thrown", /threw 'broken'/],
    ["throws nothing", "throw undefined;", "thrown", /threw undefined/],
    [
      "throws what cannot be read",
      "throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 } });",
      "thrown",
      /threw/,
    ],
    [
      "throws an error that cannot be read",
      'const e = new Error("a"); Object.defineProperty(e, "stack", { get() { throw 1 } }); throw e;',
      "thrown",
      /cannot be shown/,
    ],
    [
      "rejects a promise nobody waits for",
      `${good()}Promise.reject(new Error("late"));`,
      "thrown",
      /threw Error: late/,
      "3:16",
    ],
    [
      "throws in a timer",
      'setTimeout(() => {\n  throw new Error("late");\n}, 1);\nawait new Promise((r) => setTimeout(r, 50));',
      "thrown",
      /late/,
      "2:9",
    ],
    [
      "waits for ever",
      `await new Promise(() => {});\n${good()}`,
      "ended-early",
      /waits for something that cannot come/,
    ],
    ["uses a name that is not there", "\n  nothing.here();", "thrown", /nothing is not defined/, "2:3"],
    ["nests without end", "function f(): number { return f() + 1; }\nf();", "thrown", /RangeError: Maximum call stack/],
    ["evaluates broken text", 'eval("const;");', "thrown", /SyntaxError/, "1:1"],
  ])("%s", async (_, text, code, message, place) => {
    const diagnostic = await expectWrong(text, code, message, place);
    expect(diagnostic.printed).toBe("");
  });

  it("says everything that defineLab says, with its places", async () => {
    const text = `${head}export default defineLab({\n  ...${value()},\n  services: {\n    a: { run: run("node a.mjs"), needs: ["b"] },\n    c: { run: run("node c.mjs"), replicas: 0 },\n  },\n} as never);\n`;
    const { diagnostics } = await rejected(write({ "lab.ts": text }));
    expect(diagnostics.map(({ path, at }) => [path, at?.line])).toEqual([
      ["services.a.needs[0]", 5],
      ["services.c.replicas", 6],
    ]);
  });

  it.each<[string, string]>([
    ["a function inside", `${head}export default defineLab({ ...${value()}, name: () => 1 } as never);`],
    ["a cycle", `${head}const a: any = ${value()};\na.services.web.env = a;\nexport default defineLab(a);`],
    ["a cycle in a place for text", `${head}const a: any = ${value()};\na.name = a;\nexport default defineLab(a);`],
    [
      "a getter that throws",
      `${head}export default defineLab({ ...${value()}, get name(): string { throw new Error("mine"); } });`,
    ],
    [
      "a proxy that throws",
      `${head}export default defineLab(new Proxy(${value()}, { ownKeys() { throw new Error("mine"); } }));`,
    ],
  ])("has %s", async (_, text) => {
    const { diagnostics } = await rejected(write({ "lab.ts": text }));
    expect(diagnostics.length).toBeGreaterThan(0);
    for (const { message } of diagnostics) expect(message).toMatch(/^[A-Z"].{10,300}$/);
  });
});

describe("a lab's imports", () => {
  it.each<[string, string, RegExp, `${number}:${number}`]>([
    ["a missing file", 'const a = 1;\nimport "./gone.ts";', /no file .*gone\.ts/, "2:8"],
    ["a file without its ending", "import { b } from './part';", /no file .*part\./, "1:19"],
    ["a folder", 'import "./sub";', /is a folder/, "1:8"],
    ["a package", 'import "left-pad";', /only "@fed\/lab" and files of its own folder/, "1:8"],
    ["a part of the language", 'import "@fed/lab/src/index.ts";', /only "@fed\/lab"/, "1:8"],
    ["the web", 'import "https://example.org/a.ts";', /only "@fed\/lab"/, "1:8"],
    ["text as a file", 'import "data:text/javascript,1";', /only "@fed\/lab"/, "1:8"],
    ["a file outside its folder", 'import "../secret.ts";', /secret\.ts is outside its folder/, "1:8"],
    ["a folder whose name begins the same", 'import "../lab-2/a.ts";', /outside its folder/, "1:8"],
    ["a file outside by a link", 'import "./link.ts";', /secret\.ts is outside its folder/, "1:8"],
    ["a file outside by a link to a folder", 'import "./out/secret.ts";', /secret\.ts is outside its folder/, "1:8"],
    ["a system's file", 'import x from "/etc/passwd";', /outside its folder/, "1:15"],
    ["a system's file by its address", 'import x from "file:///etc/passwd";', /outside its folder/, "1:15"],
    ["what is neither code nor data", 'import x from "./a.txt";', /none of \.ts/, "1:15"],
    ["CommonJS", 'import x from "./a.cjs";', /none of \.ts/, "1:15"],
    ["at run time", 'const a = "x";\nawait import("../secret.ts");', /outside its folder/, "2:14"],
  ])("refuse %s", async (_, text, message, place) => {
    write({
      "secret.ts": "export {};",
      "lab-2/a.ts": "",
      "lab/part.ts": "",
      "lab/sub/a.ts": "",
      "lab/a.txt": "",
      "lab/a.cjs": "",
    });
    symlinkSync(join(folder, "secret.ts"), join(folder, "lab/link.ts"));
    symlinkSync("..", join(folder, "lab/out"));
    await expectWrong(text, "bad-import", message, place);
  });

  it.each([
    ["node:fs", /may not read or write files/],
    ["fs/promises", /may not read or write files/],
    ["node:child_process", /may not start processes/],
    ["net", /may not open network connections/],
    ["node:dgram", /may not open network connections/],
    ["node:dns", /may not open network connections/],
    ["node:http2", /may not open network connections/],
    ["worker_threads", /may not start threads/],
    ["node:process", /may not look at its surroundings/],
    ["node:module", /may not use what belongs to Node\.js/],
    ["node:vm", /may not use what belongs to Node\.js/],
    ["node:wasi", /may not use what belongs to Node\.js/],
    ["node:sqlite", /may not use what belongs to Node\.js/],
    ["node:ffi", /may not use what belongs to Node\.js/],
    ["node:inspector", /may not use what belongs to Node\.js/],
    ["node:v8", /may not use what belongs to Node\.js/],
  ])("refuse %s", async (name, message) => {
    await expectWrong(`import * as it from "${name}";\nexport default it;`, "bad-import", message, "1:21");
  });

  it("name a missing file among the files to watch", async () => {
    const { files } = await rejected(write({ "lab.ts": 'import "./gone.ts";' }));
    expect(files).toEqual([join(folder, "lab.ts"), join(folder, "gone.ts")]);
  });

  it("say which file of several is wrong, and where", async () => {
    const path = write({
      "lab.ts": 'import "./a.ts";',
      "a.ts": 'import b from "./b.ts";',
      "b.ts": "export const c = 1;",
    });
    const first = await rejected(path);
    expect(first.diagnostics[0]).toMatchObject({
      code: "syntax",
      at: { file: join(folder, "a.ts"), line: 1, column: 8 },
    });
    write({ "a.ts": 'import b from "./b.json" with { type: "json" };', "b.json": '{ "a": 1, }' });
    const second = await rejected(path);
    expect(second.diagnostics[0]).toMatchObject({ code: "syntax", message: expect.stringMatching(/b\.json/) });
  });

  it("refuse more than the limit, all files together", async () => {
    const path = write({
      "lab.ts": 'import "./a.ts";\nimport "./b.ts";',
      "a.ts": "//".padEnd(5e6),
      "b.ts": "//".padEnd(5e6),
    });
    const { diagnostics } = await rejected(path);
    expect(diagnostics).toMatchObject([{ code: "too-large", message: expect.stringMatching(/8 MiB/) }]);
  });
});

it("says that a lab may not be read", () => {
  const path = write({ "lab/lab.ts": good(), "shut/lab.ts": good() });
  chmodSync(path, 0o000);
  chmodSync(join(folder, "shut"), 0o000);
  chmodSync(folder, 0o755);
  // Root may read everything, so it becomes nobody for a moment.
  const asRoot = process.geteuid?.() === 0;
  if (asRoot) process.seteuid?.(65_534);
  try {
    for (const name of ["lab/lab.ts", "lab", "shut/lab.ts", "shut"]) {
      const reason = expect.objectContaining({
        code: "denied",
        message: expect.stringMatching(/you may not read .*lab/),
      });
      expect(() => locateLab(join(folder, name)), name).toThrow(reason);
    }
  } finally {
    if (asRoot) process.seteuid?.(0);
    chmodSync(join(folder, "shut"), 0o755);
  }
});
