/** Servers that do what no sshd does, and those that ask for a password. */
import { once } from "node:events";
import ssh2, { type Algorithms, type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import type { Shell, SshLogin } from "../../packages/fed/src/port/shell.ts";

const going = () => new AbortController().signal;
const hostKey = ssh2.utils.generateKeyPairSync("ed25519").private;

interface Behaviour {
  readonly algorithms?: Algorithms;
  readonly authenticate?: (context: AuthContext) => void;
  /** Of each channel in which a program is begun. */
  readonly exec?: (channel: ServerChannel) => void;
}

async function serve({
  algorithms = {},
  authenticate = (context) => context.accept(),
  exec,
}: Behaviour): Promise<Shell> {
  const clients = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey], algorithms }, (client) => {
    clients.add(client);
    client.on("error", () => {});
    client.on("authentication", authenticate);
    client.on("session", (accept) => {
      accept().on("exec", (begin) => exec?.(begin()));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const login: SshLogin = {
    ...{ machine: "node5", host: "127.0.0.1", port: address.port, user: "ada" },
    ...{ keys: [], password: "open sesame" },
  };
  const shell = openSshShell("node5", {
    ...{ clock: systemClock, trace: silentTrace, login: async () => login },
    checkHostKey: () => ({ kind: "trusted" }),
  });
  onTestFinished(async () => {
    for (const client of clients) client.end();
    server.close();
    await shell.close();
  });
  return shell;
}

/** Plays a kept-open shell: answers each command that it is told with what `say` makes of its mark. */
function playLane(channel: ServerChannel, say: (mark: string) => void): void {
  channel.on("data", (bytes: Buffer) => {
    const text = String(bytes);
    const ready = /echo "(\w+) ready/.exec(text)?.[1];
    if (ready !== undefined) {
      channel.write(`${ready} ready 4711\n`);
      channel.stderr.write(`${ready}\n`);
    }
    const mark = /^fed_r (\w+)/m.exec(text)?.[1];
    if (mark !== undefined) say(mark);
  });
}

const run = (shell: Shell, timeoutMs = 20_000) => shell.run({ argv: ["uptime"] }, { timeoutMs }, going());

describe("a server that asks for a password", () => {
  const answering: Behaviour["exec"] = (channel) =>
    playLane(channel, (mark) => {
      channel.write(`${mark} run 1\nup\n${mark} end 0\n`);
      channel.stderr.write(`${mark}\n`);
    });

  test.each<[string, (context: AuthContext) => void]>([
    [
      "as such",
      (context) => {
        if (context.method !== "password") return context.reject(["password"]);
        if (context.password === "open sesame") context.accept();
        else context.reject(["password"]);
      },
    ],
    [
      "by questions",
      (context) => {
        if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
        context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) => {
          if (answer === "open sesame") context.accept();
          else context.reject(["keyboard-interactive"]);
        });
      },
    ],
  ])("%s is told it", async (_, authenticate) => {
    const shell = await serve({ authenticate, exec: answering });
    expect(await run(shell)).toMatchObject({ kind: "exited", code: 0, stdout: "up\n" });
  });

  test("and does not like it is told so, and never shown it in a message", async () => {
    const shell = await serve({ authenticate: (context) => context.reject(["password", "keyboard-interactive"]) });
    const refused = await run(shell).catch((thrown: Error) => thrown);
    expect(refused).toMatchObject({
      ...{ code: "denied", message: expect.stringContaining("it refuses the password") },
      hint: expect.stringContaining("It lets in by password, keyboard-interactive."),
    });
    expect(`${JSON.stringify(refused)} ${refused instanceof Error ? refused.stack : ""}`).not.toContain("sesame");
  });
});

describe("a hostile server", () => {
  test("that wants to pack what it sends is not let: what comes out of a packet would have no limit", async () => {
    const packing = await serve({ algorithms: { compress: ["zlib", "zlib@openssh.com"] } });
    await expect(run(packing)).rejects.toMatchObject({
      ...{ code: "unreachable", message: expect.stringContaining("do not understand each other") },
    });
  });

  test("says nothing to a terminal in what it says it lets in by", async () => {
    const methods = ["\u001b]0;owned\u0007\u001b[2J", "x".repeat(10_000)] as unknown as ["password"];
    const shell = await serve({ authenticate: (context) => context.reject(methods) });
    const refused = await run(shell).catch((thrown: Error & { hint?: string }) => thrown);
    expect(refused).toMatchObject({ code: "denied" });
    expect("hint" in refused && refused.hint).not.toMatch(/\p{Cc}|x{300}/u);
  });

  test("that talks without end is cut, and ended in time", async () => {
    const shell = await serve({
      exec: (channel) =>
        playLane(channel, (mark) => {
          channel.write(`${mark} run 1\n`);
          const flood = Buffer.alloc(256 * 1024, "x");
          const more = () => {
            while (channel.writable && channel.write(flood));
            if (channel.writable) channel.once("drain", more);
          };
          more();
        }),
    });
    const before = process.memoryUsage().rss;
    const outcome = await run(shell, 500);
    expect(outcome).toMatchObject({ kind: "timeout", cut: true });
    expect(outcome.stdout.length).toBe(1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  }, 60_000);

  test.each<[string, (channel: ServerChannel, mark: string) => void]>([
    ["a line of ours that does not end", (channel, mark) => channel.write(`${mark} run ${"1".repeat(10_000)}`)],
    ["nothing, and hangs up", (channel) => channel.end()],
    [
      "that its shells are of no use",
      (channel, mark) => {
        channel.write(`${mark} left\n`);
        channel.stderr.write(`${mark}\n`);
      },
    ],
  ])("that says %s fails, and is not asked for ever", async (_, say) => {
    let asked = 0;
    const shell = await serve({
      exec: (channel) =>
        playLane(channel, (mark) => {
          asked++;
          say(channel, mark);
        }),
    });
    await expect(run(shell)).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("node5") });
    expect(asked).toBeLessThanOrEqual(6);
  });

  test("that sends more than it may is hung up on, before it fills our memory", async () => {
    const shell = await serve({
      exec(channel) {
        channel.once("data", (bytes: Buffer) => {
          const mark = /echo "(\w+) run/.exec(String(bytes))?.[1];
          channel.write(`${mark} run 1\n`);
          channel.stderr.write(`${mark}\n`);
          // Whatever room we say there is.
          (channel as unknown as { outgoing: { window: number } }).outgoing.window = Number.MAX_SAFE_INTEGER;
          // In pieces that do not come to the window's size by chance, where the library drops what comes.
          const flood = Buffer.alloc(32 * 1024 - 7);
          const more = () => {
            for (let i = 0; i < 32 && channel.writable; i++) channel.write(flood);
            if (channel.writable) setImmediate(more);
          };
          more();
        });
      },
    });
    const stream = await shell.stream({ argv: ["cat"] }, going());
    expect(await stream.ended).toEqual({ kind: "lost", reason: "it sent more than it may" });
    expect(stream.io.readableLength).toBeLessThan(16 * 1024 * 1024);
  });

  test("cannot make us end what is not its: a process id that is none is not told to anybody", async () => {
    const asked: string[] = [];
    const shell = await serve({
      exec: (channel) =>
        playLane(channel, (mark) => {
          asked.push(mark);
          channel.write(`${mark} run -1; reboot\n`);
        }),
    });
    expect(await run(shell, 2_000)).toMatchObject({ kind: "timeout" });
    expect(asked).toHaveLength(1);
  });
});
