import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { holdLock } from "#disk/lock.ts";
import { commands, families } from "./commands.ts";
import { readEnv } from "./env.ts";
import { type Asked, type FakeHub, openFakeHub, type Reply, refuses } from "./hub.scene.ts";
import { runProgram } from "./run.ts";
import { recordScreen } from "./test-screen.ts";

/** The commands of the real table against a hub that answers from a list, for a person with a home of their own. */
export interface Desk {
  readonly home: string;
  readonly hub: FakeHub;
  fed(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

type Replies = Readonly<Record<string, (asked: Asked) => Reply>>;

/** Replies by path. `here`: the hub runs on this machine; else it is elsewhere, and nobody is signed in. */
export async function makeDesk(
  replies: Replies,
  options: { readonly here?: boolean; readonly variables?: Readonly<Record<string, string>> } = {},
): Promise<Desk> {
  const home = mkdtempSync(join(tmpdir(), "fed-desk-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const hub = await openFakeHub(
    (asked) => replies[asked.path]?.(asked) ?? refuses("missing", `nothing at ${asked.path}`),
  );
  const env = readEnv({ HOME: home, ...options.variables }, home);
  if (options.here !== false) {
    mkdirSync(env.dataFolder, { recursive: true });
    writeFileSync(join(env.dataFolder, "hub.json"), JSON.stringify({ url: hub.url, ingressUrl: hub.url, pid: 1 }));
    writeFileSync(join(env.dataFolder, "token"), "local\n");
    const lock = holdLock(join(env.dataFolder, "hub.lock"));
    onTestFinished(() => lock.close());
  }
  const program = { name: "fed", version: "1.2.3", entries: commands, families };
  return {
    home,
    hub,
    async fed(...words) {
      const recorded = recordScreen({ json: words.includes("--json") });
      const code = await runProgram(program, words, env, recorded.screen, new AbortController().signal);
      return { code, out: recorded.out(), err: recorded.err() };
    },
  };
}
