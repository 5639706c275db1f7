/** The contract of port `shell`, asked of an adapter: with a fake's few programs, and with all that a real machine has. */
import { buffer, text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CommandStream, RunOptions, Shell, ShellCommand } from "./shell.ts";
import { stderrBytes } from "./shell-limit.ts";

const going = () => new AbortController().signal;
const patient: RunOptions = { timeoutMs: 20_000 };

export interface ShellScene {
  readonly shell: Shell;
  /** An absolute folder of the machine that is empty at the beginning. */
  readonly folder: string;
  /** What stands in a file of the machine; undefined: there is none. */
  read(path: string): { readonly bytes: Uint8Array; readonly mode: number } | undefined;
  /** Makes something listen on the machine that sends back what it is sent; answers where. */
  listen(): Promise<string>;
}

export function shellSuite(name: string, make: () => Promise<ShellScene>): void {
  const scene = async () => {
    const made = await make();
    onTestFinished(() => made.shell.close());
    return made;
  };
  describe(`shell ${name}`, () => {
    describe("run", () => runContract(scene));
    describe("stream", () => streamContract(scene));
    describe("upload", () => uploadContract(scene));
    describe("forward", () => forwardContract(scene));
    it("runs nothing any more when it is closed, and ends what ran", async () => {
      const { shell } = await scene();
      const stream = await shell.stream({ argv: ["sleep", "1000"] }, going());
      const run = shell.run({ argv: ["sleep", "1000"] }, patient, going());
      const outcome = run.catch((thrown: unknown) => thrown);
      await shell.run({ argv: ["true"] }, patient, going());
      await shell.close();
      expect(["killed", "lost"]).toContain((await stream.ended).kind);
      expect(await outcome).toSatisfy((end: { kind?: string; code?: string }) => {
        return end.kind === "killed" || end.code === "unreachable";
      });
      await expect(shell.run({ argv: ["true"] }, patient, going())).rejects.toMatchObject({ code: "unreachable" });
      await expect(shell.stream({ argv: ["true"] }, going())).rejects.toMatchObject({ code: "unreachable" });
      await shell.close();
    });
  });
}

type MakeScene = () => Promise<ShellScene>;

function runContract(scene: MakeScene): void {
  it("tells how a command ended and what it said", async () => {
    const { shell } = await scene();
    const said = await shell.run({ argv: ["echo", "a  b", "c"] }, patient, going());
    expect(said).toMatchObject({ kind: "exited", code: 0, stdout: "a  b c\n", stderr: "", cut: false });
    expect(said.tookMs).toBeGreaterThanOrEqual(0);
    expect(await shell.run({ argv: ["false"] }, patient, going())).toMatchObject({ kind: "exited", code: 1 });
  });

  it.each(["it's", "$HOME `id` $(id)", "a\nb\n", '"\\', "*", "-n\t", "ü 実 😀", "; exit 7", "A=b", "~", ""])(
    "hands on the word %j as it is",
    async (word) => {
      const { shell } = await scene();
      expect((await shell.run({ argv: ["echo", ".", word] }, patient, going())).stdout).toBe(`. ${word}\n`);
    },
  );

  it("tells a command that is not there by 127, and why", async () => {
    const { shell } = await scene();
    const outcome = await shell.run({ argv: ["no-such-command"] }, patient, going());
    expect(outcome).toMatchObject({ kind: "exited", code: 127, stdout: "" });
    expect(outcome.stderr).toContain("no-such-command: command not found");
  });

  it("hands on its input, whatever bytes these are, and none when there is none", async () => {
    const { shell } = await scene();
    const letters = "ü\0\n".repeat(100_000);
    expect((await shell.run({ argv: ["cat"] }, { ...patient, input: letters }, going())).stdout).toBe(letters);
    expect(await shell.run({ argv: ["cat"] }, patient, going())).toMatchObject({ stdout: "", code: 0 });
  });

  it("cuts what is beyond the limit, and says so", async () => {
    const { shell } = await scene();
    const limits = { ...patient, outputBytes: 10 };
    const long = await shell.run({ argv: ["echo", "12345678ü9"] }, limits, going());
    expect(long).toMatchObject({ kind: "exited", code: 0, stdout: "12345678ü", cut: true });
    expect(await shell.run({ argv: ["echo", "123456789"] }, limits, going())).toMatchObject({ cut: false });
  });

  it("replaces what is no UTF-8", async () => {
    const { shell } = await scene();
    const input = Uint8Array.of(0x61, 0xff, 0x62);
    expect((await shell.run({ argv: ["cat"] }, { ...patient, input }, going())).stdout).toBe("a\ufffdb");
  });

  it("ends what takes too long", async () => {
    const { shell } = await scene();
    await shell.run({ argv: ["true"] }, patient, going());
    const outcome = await shell.run({ argv: ["sleep", "1000"] }, { timeoutMs: 50 }, going());
    expect(outcome).toMatchObject({ kind: "timeout", stdout: "", stderr: "" });
    expect(await shell.run({ argv: ["echo", "on"] }, patient, going())).toMatchObject({ stdout: "on\n" });
  });

  it("rejects with the reason of an abort, before and while it runs", async () => {
    const { shell } = await scene();
    const controller = new AbortController();
    const outcome = shell.run({ argv: ["sleep", "1000"] }, patient, controller.signal);
    const heard = expect(outcome).rejects.toBe("enough");
    await shell.run({ argv: ["true"] }, patient, going());
    controller.abort("enough");
    await heard;
    await expect(shell.run({ argv: ["true"] }, patient, controller.signal)).rejects.toBe("enough");
  });

  it.each<[string, ShellCommand]>([
    ["no words", { argv: [] }],
    ["an empty first word", { argv: [""] }],
    ["NUL in a word", { argv: ["echo", "a\0b"] }],
    ["a variable with no name", { argv: ["true"], environment: { "": "a" } }],
    ["a variable that is a command", { argv: ["true"], environment: { "A;reboot": "a" } }],
    ["NUL in a variable", { argv: ["true"], environment: { A: "a\0b" } }],
  ])("refuses %s", async (_, command) => {
    const { shell } = await scene();
    await expect(shell.run(command, patient, going())).rejects.toMatchObject({ code: "invalid" });
    await expect(shell.stream(command, going())).rejects.toMatchObject({ code: "invalid" });
  });

  it("runs many at once, each with its own words", async () => {
    const { shell } = await scene();
    const numbers = Array.from({ length: 20 }, (_, index) => `number ${index}`);
    const outcomes = numbers.map((words) => shell.run({ argv: ["echo", words] }, patient, going()));
    expect((await Promise.all(outcomes)).map(({ stdout }) => stdout)).toEqual(numbers.map((words) => `${words}\n`));
  });
}

function streamContract(scene: MakeScene): void {
  it("is a command's stdin and stdout", async () => {
    const { shell } = await scene();
    const stream = await shell.stream({ argv: ["cat"] }, going());
    stream.io.write("one\n");
    expect(await next(stream)).toBe("one\n");
    stream.io.end("\0two");
    expect(await text(stream.io)).toBe("\0two");
    expect(await stream.ended).toEqual({ kind: "exited", code: 0 });
  });

  it("is as wide as it must be, and no wider: who does not read is not sent more", async () => {
    const { shell } = await scene();
    const stream = await shell.stream({ argv: ["cat"] }, going());
    const block = Buffer.alloc(64 * 1024, "x");
    let written = 0;
    while (written < 100_000_000 && stream.io.write(block)) written += block.length;
    expect(written).toBeLessThan(16_000_000);
    const all = buffer(stream.io);
    stream.io.end();
    expect((await all).length).toBe(written + block.length);
  });

  it("tells by its end what cannot run", async () => {
    const { shell } = await scene();
    const stream = await shell.stream({ argv: ["no-such-command"] }, going());
    expect(await text(stream.io)).toBe("");
    expect(await stream.ended).toEqual({ kind: "exited", code: 127 });
    expect(stream.stderr()).toContain("no-such-command: command not found");
  });

  it("ends when it is killed, and when its signal aborts", async () => {
    const { shell } = await scene();
    const killed = await shell.stream({ argv: ["sleep", "1000"] }, going());
    await killed.kill();
    expect(await killed.ended).toEqual({ kind: "killed", signal: "SIGTERM" });
    await killed.kill();
    const controller = new AbortController();
    const aborted = await shell.stream({ argv: ["sleep", "1000"] }, controller.signal);
    controller.abort("enough");
    expect(await aborted.ended).toEqual({ kind: "killed", signal: "SIGTERM" });
    await expect(shell.stream({ argv: ["true"] }, controller.signal)).rejects.toBe("enough");
  });
}

function uploadContract(scene: MakeScene): void {
  it("puts a file in place, in place of the one that was there", async () => {
    const { shell, folder, read } = await scene();
    const path = `${folder}/it's a "file"`;
    await shell.upload({ path, bytes: Buffer.from("one\0"), mode: 0o644 }, going());
    expect(read(path)).toEqual({ bytes: Buffer.from("one\0"), mode: 0o644 });
    const parts = async function* () {
      for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, i);
    };
    await shell.upload({ path, bytes: parts(), mode: 0o600 }, going());
    const { bytes, mode } = read(path) ?? {};
    expect([bytes?.length, bytes?.at(0), bytes?.at(-1), mode]).toEqual([1_000_000, 0, 99, 0o600]);
    await shell.upload({ path, bytes: new Uint8Array(), mode: 0o400 }, going());
    expect([read(path)?.bytes.length, read(path)?.mode]).toEqual([0, 0o400]);
  });

  it("leaves the old file when the bytes do not all come, and when it is aborted", async () => {
    const { shell, folder, read } = await scene();
    const path = `${folder}/file`;
    await shell.upload({ path, bytes: Buffer.from("old"), mode: 0o644 }, going());
    const broken = async function* () {
      yield Buffer.from("half");
      throw new Error("no more");
    };
    await expect(shell.upload({ path, bytes: broken(), mode: 0o600 }, going())).rejects.toThrow("no more");
    const controller = new AbortController();
    const slow = async function* () {
      yield Buffer.from("half");
      controller.abort("enough");
      yield Buffer.from("other half");
    };
    await expect(shell.upload({ path, bytes: slow(), mode: 0o600 }, controller.signal)).rejects.toBe("enough");
    expect(read(path)).toEqual({ bytes: Buffer.from("old"), mode: 0o644 });
  });
}

function forwardContract(scene: MakeScene): void {
  it("leads to what listens there", async () => {
    const { shell, listen } = await scene();
    const io = await shell.forward({ kind: "socket", path: await listen() }, going());
    io.end("there and back");
    expect(await text(io)).toBe("there and back");
  });

  it("says where nothing listens", async () => {
    const { shell, folder } = await scene();
    const nothing = shell.forward({ kind: "socket", path: `${folder}/nothing` }, going());
    await expect(nothing).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("/nothing") });
    const noPort = shell.forward({ kind: "tcp", host: "127.0.0.1", port: 1 }, going());
    await expect(noPort).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("127.0.0.1:1"),
    });
  });
}

/** What it says next. */
function next(stream: CommandStream): Promise<string> {
  return new Promise((resolve) => stream.io.once("data", (bytes) => resolve(String(bytes))));
}

/** What only a machine with processes can show. */
export function realShellSuite(name: string, make: () => Promise<ShellScene>): void {
  const scene = async () => {
    const made = await make();
    onTestFinished(() => made.shell.close());
    return made;
  };
  const sh = (script: string, ...words: string[]): ShellCommand => ({ argv: ["sh", "-c", script, "sh", ...words] });
  describe(`shell ${name}, on a real machine`, () => {
    it("keeps stdout and stderr apart, and binary output whole", async () => {
      const { shell } = await scene();
      const both = sh("printf 'a\\001\\033[31m'; printf 'b\\n\\n' >&2; printf c");
      const outcome = await shell.run(both, patient, going());
      expect(outcome).toMatchObject({ code: 0, stdout: "a\x01\x1b[31mc", stderr: "b\n\n" });
    });

    it("gives it the variables, beside what the user has", async () => {
      const { shell } = await scene();
      const environment = { FED_A: "it's $HOME\n", PATH: "/usr/bin:/bin" };
      const outcome = await shell.run(
        { ...sh('printf "%s|%s|%s" "$FED_A" "$PATH" "$HOME"'), environment },
        patient,
        going(),
      );
      expect(outcome.stdout).toMatch(/^it's \$HOME\n\|\/usr\/bin:\/bin\|\/./);
      const stream = await shell.stream({ ...sh('printf %s "$FED_A"'), environment }, going());
      expect(await text(stream.io)).toBe("it's $HOME\n");
    });

    it.each([
      ["exit 3", { kind: "exited", code: 3 }],
      ["kill -KILL $$", { kind: "killed", signal: "SIGKILL" }],
      ["exec /etc", { kind: "exited", code: 126 }],
    ])("tells how %j ends", async (script, end) => {
      const { shell } = await scene();
      expect(await shell.run(sh(script), patient, going())).toMatchObject(end);
      expect(await (await shell.stream(sh(script), going())).ended).toEqual(end);
    });

    it.each(["exit", "cd", "export"])(
      "looks for a program called %s, and runs nothing of the shell's own",
      async (word) => {
        const { shell } = await scene();
        expect(await shell.run({ argv: [word, "/"] }, patient, going())).toMatchObject({ kind: "exited", code: 127 });
      },
    );

    it("tells what may not be run by 126", async () => {
      const { shell } = await scene();
      expect(await shell.run({ argv: ["/etc"] }, patient, going())).toMatchObject({ kind: "exited", code: 126 });
      const missing = await shell.run({ argv: ["/no/such/thing"] }, patient, going());
      expect(missing).toMatchObject({ kind: "exited", code: 127 });
    });

    it("ends what ignores SIGTERM when its time is over, with its children", async () => {
      const { shell, folder } = await scene();
      const stubborn = sh(
        'trap "" TERM; sleep 1000 & echo "$$ $!" >"$1"; while :; do sleep 1000; done',
        `${folder}/pids`,
      );
      const outcome = await shell.run(stubborn, { timeoutMs: 300 }, going());
      expect(outcome.kind).toBe("timeout");
      const { stdout } = await shell.run(
        sh('read a b <"$1"; for p in $a $b; do grep -s ") [^ZX] " "/proc/$p/stat"; done', `${folder}/pids`),
        patient,
        going(),
      );
      expect(stdout).toBe("");
    });

    it("ends a child that has a session of its own, too", async () => {
      const { shell, folder } = await scene();
      const stream = await shell.stream(
        sh('setsid sleep 1000 & sleep 0.1; echo $! >"$1"; echo on; wait', `${folder}/pid`),
        going(),
      );
      expect(await next(stream)).toBe("on\n");
      await stream.kill();
      const { stdout } = await shell.run(
        sh('read a <"$1"; grep -s ") [^ZX] " "/proc/$a/stat"', `${folder}/pid`),
        patient,
        going(),
      );
      expect(stdout).toBe("");
    });

    it("leaves what a command put in the background, and is not held up or soiled by it", async () => {
      const { shell } = await scene();
      const sower = sh("(while sleep 0.01; do echo dirt; echo dirt >&2; done) & echo $!");
      const { stdout, code, tookMs } = await shell.run(sower, patient, going());
      const [pid = ""] = stdout.split("\n");
      expect([code, Number(pid) > 0]).toEqual([0, true]);
      expect(tookMs).toBeLessThan(5_000);
      for (let i = 0; i < 5; i++) {
        const clean = await shell.run(sh("sleep 0.03; echo clean"), patient, going());
        expect(clean).toMatchObject({ stdout: "clean\n", stderr: "" });
      }
      await shell.run(sh("kill $1 2>/dev/null", pid), patient, going());
    });

    it("drops a flood, of both outputs, and goes on", async () => {
      const { shell } = await scene();
      const before = process.memoryUsage().rss;
      const flood = sh("head -c 100000000 /dev/zero; head -c 100000000 /dev/zero >&2");
      const outcome = await shell.run(flood, { ...patient, outputBytes: 1_000 }, going());
      expect([outcome.code, outcome.cut, outcome.stdout.length, outcome.stderr.length]).toEqual([
        0,
        true,
        1_000,
        1_000,
      ]);
      // Of 200 MB: what was dropped may wait for the garbage collector.
      expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
      expect(await shell.run({ argv: ["echo", "on"] }, patient, going())).toMatchObject({ stdout: "on\n" });
    });

    it("keeps the end of a stream's stderr", async () => {
      const { shell } = await scene();
      const stream = await shell.stream(sh("head -c 1000000 /dev/zero >&2; echo last words >&2"), going());
      await text(stream.io);
      await stream.ended;
      expect(stream.stderr()).toMatch(/\0last words\n$/);
      expect(stream.stderr().length).toBeLessThanOrEqual(stderrBytes);
    });

    it("says why a file cannot be put there, and leaves nothing beside", async () => {
      const { shell, folder } = await scene();
      const bytes = Buffer.from("a");
      const nowhere = shell.upload({ path: `${folder}/no/file`, bytes, mode: 0o600 }, going());
      await expect(nowhere).rejects.toMatchObject({ code: "missing" });
      await shell.run({ argv: ["mkdir", `${folder}/there`] }, patient, going());
      const folderThere = shell.upload({ path: `${folder}/there`, bytes, mode: 0o600 }, going());
      await expect(folderThere).rejects.toMatchObject({ code: "conflict" });
      expect((await shell.run({ argv: ["ls", "-A", folder] }, patient, going())).stdout).toBe("there\n");
    });
  });
}
