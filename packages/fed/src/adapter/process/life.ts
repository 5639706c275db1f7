/** The life of one instance: spawned or found, watched until it ends, ended when asked. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, type FSWatcher, openSync, watch } from "node:fs";
import { join } from "node:path";
import { untilAborted } from "#base/abort.ts";
import { type Clock, sleep, type Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Exit } from "#port/runtime.ts";
import { joinFile, ranOutOfMemory, removeCgroup } from "./cgroup.ts";
import { type Group, groupIsEmpty, membersOf, signalMembers } from "./group.ts";
import { type Output, openOutput } from "./output.ts";
import { type ProcessMark, type ProcessRow, readProcess } from "./proc.ts";
import { type InstanceRecord, outputFolder, readExit, readMark, writeExit } from "./record.ts";

const wrapper = join(import.meta.dirname, "wrapper.sh");

/** What the lives of one runtime share. */
export interface LifeNeeds {
  readonly clock: Clock;
  /** All processes of the machine. */
  look(): Promise<readonly ProcessRow[]>;
  /** This boot of the machine. */
  readonly boot: string;
  onEnd(life: Life, exit: Exit): void;
}

export interface SpawnOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Nobody tells us when a process ends that is not our child and whose companion was killed: it is looked for this often. */
const sweepMs = 2_000;
/** The output is looked at for its size at most this often while it grows. */
const trimMs = 500;
const killPollMs = 20;
/** How long the kernel may take to clear away what was killed. */
const killLimitMs = 5_000;

export class Life {
  readonly record: InstanceRecord;
  readonly output: Output;
  exit: Exit | undefined;
  readonly #folder: string;
  readonly #needs: LifeNeeds;
  readonly #enders = new Set<() => void>();
  #mark: ProcessMark | undefined;
  #child: ChildProcess | undefined;
  #watchers: readonly FSWatcher[] = [];
  #sweep: Timer | undefined;
  #trim: Timer | undefined;

  constructor(folder: string, record: InstanceRecord, needs: LifeNeeds) {
    this.#folder = folder;
    this.record = record;
    this.#needs = needs;
    this.output = openOutput(outputFolder(folder));
    this.exit = readExit(folder);
    this.#mark = readMark(folder);
  }

  get pid(): number | undefined {
    return this.#mark?.pid;
  }

  /** Runs the command under its companion. Resolves once the companion runs. */
  async spawn(options: SpawnOptions): Promise<void> {
    const { command, folder, environment } = options;
    const output = openSync(this.output.path, "a", 0o600);
    try {
      const child = spawn("/bin/sh", [wrapper, this.#folder, joinFile(this.record.cgroup), ...command], {
        cwd: folder,
        env: environment,
        detached: true,
        stdio: ["ignore", output, output],
      });
      this.#child = child;
      await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      child.unref();
      child.once("exit", (code, signal) => {
        this.#child = undefined;
        void this.#lookForEnd(signal === null ? { code: code ?? undefined } : { signal });
      });
      const stat = child.pid === undefined ? undefined : readProcess(child.pid);
      this.#mark = stat && { pid: stat.pid, startTicks: stat.startTicks };
    } finally {
      closeSync(output);
    }
    this.#watch();
  }

  /** Takes over what an earlier hub started; it may have ended since. */
  async adopt(): Promise<void> {
    if (this.exit) return;
    if (this.record.boot !== this.#needs.boot) return this.#end({ atMs: this.#needs.clock.nowMs() });
    const members = membersOf(this.#group, await this.#needs.look());
    if (members.length === 0) return this.#end(readExit(this.#folder) ?? { atMs: this.#needs.clock.nowMs() });
    this.#watch();
    this.#sweepLater();
  }

  /** Asks all of it to end, waits, forces it. Returns when nothing of it runs. */
  async stop(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#signalAll("SIGTERM");
    const { clock } = this.#needs;
    const deadlineMs = clock.tickMs() + graceMs;
    if (!this.exit) await this.#endedWithin(graceMs, signal);
    while ((await this.#members()).length > 0 && clock.tickMs() < deadlineMs) await sleep(clock, killPollMs, signal);
    await this.#kill(signal);
    if (!this.exit) await this.#lookForEnd({ signal: "SIGKILL" });
  }

  onEnd(wake: () => void): () => void {
    this.#enders.add(wake);
    return () => void this.#enders.delete(wake);
  }

  /** Notices an end that nobody told of. */
  async verify(): Promise<void> {
    if (this.exit || this.#child || (this.#mark && !groupIsEmpty(this.#mark))) return;
    await this.#lookForEnd({});
  }

  /** Stops watching; what runs goes on. */
  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#sweep?.cancel();
    this.#trim?.cancel();
    this.#watchers = [];
  }

  get #group(): Group {
    return { id: this.record.id, leader: this.#mark, outputPath: this.output.path };
  }

  async #members(): Promise<readonly ProcessRow[]> {
    return membersOf(this.#group, await this.#needs.look());
  }

  async #signalAll(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const denied = signalMembers(this.#mark, await this.#members(), signal);
    if (denied.length === 0) return;
    throw new Fault("denied", `processes ${denied.join(", ")} of instance ${this.record.id} belong to another user`, {
      hint: "End them by hand, as that user.",
    });
  }

  async #kill(signal: AbortSignal): Promise<void> {
    const { clock } = this.#needs;
    const deadlineMs = clock.tickMs() + killLimitMs;
    while ((await this.#members()).length > 0) {
      if (clock.tickMs() > deadlineMs) throw new Fault("timeout", `instance ${this.record.id} cannot be ended`);
      await this.#signalAll("SIGKILL");
      await sleep(clock, killPollMs, signal);
    }
  }

  async #endedWithin(graceMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const forget = this.onEnd(resolve);
    const timer = this.#needs.clock.after(graceMs, resolve);
    try {
      await untilAborted(promise, signal);
    } finally {
      forget();
      timer.cancel();
    }
  }

  #watch(): void {
    const ended = watch(this.#folder, (_event, name) => {
      if (name === "exit") void this.#lookForEnd({});
    });
    const grown = watch(outputFolder(this.#folder), () => {
      this.#trim ??= this.#needs.clock.after(trimMs, () => {
        this.#trim = undefined;
        this.output.trim().catch(() => undefined);
      });
    });
    for (const watcher of [ended, grown]) watcher.on("error", () => watcher.close()).unref();
    this.#watchers = [ended, grown];
    // It may have ended before the watch began.
    if (readExit(this.#folder)) void this.#lookForEnd({});
  }

  #sweepLater(): void {
    this.#sweep = this.#needs.clock.after(sweepMs, () => {
      void this.verify().then(() => {
        if (!this.exit) this.#sweepLater();
      });
    });
  }

  /** Something ended. If it was the instance, that becomes known; if only its companion was killed, it goes on. */
  async #lookForEnd(seen: { readonly code?: number | undefined; readonly signal?: string }): Promise<void> {
    const { clock } = this.#needs;
    const written = readExit(this.#folder);
    if (this.exit) return;
    if (!written && (await this.#members()).length > 0) {
      if (!this.#sweep) this.#sweepLater();
      return;
    }
    if (this.exit) return;
    this.#end(readExit(this.#folder) ?? { ...seen, atMs: clock.nowMs() });
  }

  #end(found: Exit): void {
    const { cgroup } = this.record;
    const memory = cgroup !== undefined && found.code !== 0 && ranOutOfMemory(cgroup);
    this.exit = memory ? { ...found, reason: "memory" } : found;
    writeExit(this.#folder, this.exit);
    if (cgroup !== undefined) removeCgroup(cgroup);
    this.close();
    for (const wake of [...this.#enders]) wake();
    this.#needs.onEnd(this, this.exit);
  }
}
