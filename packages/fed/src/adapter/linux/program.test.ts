import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RawTick } from "#port/collector.ts";
import { makeLinuxCollector } from "./collector.ts";
import { tellBytes } from "./fixture.scene.ts";
import { makeProgram } from "./program.ts";
import { shells } from "./section.scene.ts";
import { openTicks } from "./tick.ts";

const mark = "fixture0fixture0";

/** A folder of tools that stand before the machine's own. */
function stubs(tools: Readonly<Record<string, string>>): { folder: string; calls: (name: string) => number } {
  const folder = mkdtempSync(join(tmpdir(), "fed-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho x >>${folder}/${name}.calls\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const calls = (name: string) => {
    const path = join(folder, `${name}.calls`);
    return existsSync(path) ? readFileSync(path, "utf8").length / 2 : 0;
  };
  return { folder, calls };
}

function run(shell: readonly string[], input: string, folder?: string): Buffer {
  const [command = "sh", ...words] = shell;
  const path = process.env.PATH ?? "/usr/bin:/bin";
  // The shell's own tools would hide what stands before them.
  const env = { PATH: folder === undefined ? path : `${folder}:${path}`, LANG: "de_DE.UTF-8" };
  return execFileSync(command, words, { input, env, cwd: "/" });
}

const collector = makeLinuxCollector();
const own = shells.filter(({ name }) => name !== "busybox ash");

describe.each(own)("in $name", ({ shell }) => {
  test("asks date for the time at the first tick and every sixth, and counts the seconds between", () => {
    // At the second call a second less than has passed, as a date without nanoseconds may be off; at the third an hour was put on it.
    const clock = `read -r up _ </proc/uptime
      up=\${up%%.*}
      case $(($(wc -l <"$0.calls"))) in
      1) echo $up >"$0.first"; echo 1800000000.25;;
      2) read -r first <"$0.first"; echo $((1800000000+up-first-1)).0;;
      *) echo 1800007200.5;;
      esac`;
    const { folder, calls } = stubs({ date: clock });
    const asks = Array.from({ length: 13 }, (_, i) => collector.ask(i + 1, ["load"]));
    const ticks = collector.openTicks(mark).push(run(shell, collector.program(mark) + asks.join(""), folder));
    expect(calls("date")).toBe(3);
    const times = ticks.map((tick) => tick.machineMs);
    expect(times[0]).toBe(1_800_000_000_250);
    // What is off by a second at most is not taken over: time would go back.
    expect(times[11]).toBeLessThan(1_800_000_060_000);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    // A clock that was set is.
    expect(times[12]).toBe(1_800_007_200_500);
  });

  const mounts = [
    "/dev/sda1 / ext4 rw 0 0",
    "nas:/a\\040b /mnt/a\\040b nfs4 rw 0 0",
    "nas:/c /mnt/c nfs rw 0 0",
    "user@host: /mnt/%s$(id) fuse.sshfs rw 0 0",
  ];
  const grep = `cat <<'END'\n${mounts.join("\n")}\nEND`;
  const stat = 'shift 2; for m; do echo "s 4096 10 9 8 7 6 $m"; done';

  test("a mount that does not answer is told, and left alone for a while; the others go on", () => {
    const hang = 'for last; do :; done; case "$last" in /mnt/c) exit 137;; esac; shift 3; exec "$@"';
    const { folder, calls } = stubs({ grep, stat, timeout: hang });
    const asks = Array.from({ length: 10 }, (_, i) => collector.ask(i + 1, ["filesystem"]));
    const told = tellBytes(run(shell, collector.program(mark) + asks.join(""), folder));
    const failures = told.map((tick) => tick.reading.failures.map(({ reason }) => reason));
    expect(failures).toEqual(Array.from({ length: 10 }, () => ["/mnt/c (nfs) does not answer"]));
    const device = (place: string) => `{device="nas:/a b",fstype="nfs4",mountpoint="${place}"}`;
    expect(told[0]?.samples.get(`node_filesystem_size_bytes${device("/mnt/a b")}`)).toBe(40_960);
    const strange = 'node_filesystem_avail_bytes{device="user@host:",fstype="fuse.sshfs",mountpoint="/mnt/%s$(id)"}';
    // The tick that waited for one does not go on to the next.
    expect(told.map((tick) => tick.samples.get(strange))).toEqual([undefined, ...Array(8).fill(32_768), undefined]);
    // One at the start of the program, three mounts, of which /mnt/c is asked at the first tick and at the tenth.
    expect(calls("timeout")).toBe(1 + 2 + 8 * 2 + 2);
  });

  test("without a timeout nothing is asked that may hang", () => {
    const { folder } = stubs({ grep, stat, timeout: "exit 127" });
    const input = collector.program(mark) + collector.ask(1, ["filesystem"]);
    const [tick] = tellBytes(run(shell, input, folder));
    expect(tick?.reading.failures).toEqual([]);
    const sizes = [...(tick?.samples.keys() ?? [])].filter((key) => key.startsWith("node_filesystem_size"));
    expect(sizes).toEqual(['node_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"}']);
  });

  test("where stat cannot tell filesystems, df does", () => {
    const df = 'shift; echo Filesystem; for m; do echo "/dev/sda1 100 30 60 34% $m"; done';
    const { folder } = stubs({ grep, stat: "exit 1", df });
    const [tick] = tellBytes(run(shell, collector.program(mark) + collector.ask(1, ["filesystem"]), folder));
    expect(tick?.samples.get('node_filesystem_free_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"}')).toBe(
      71_680,
    );
  });
});

describe.each(shells)("in $name", ({ shell }) => {
  const say = (script: string, asks = "tick 1 a\n"): readonly RawTick[] => {
    const section = { name: "a", everyMs: 0, script, open: () => () => {} };
    const program = makeProgram([section, { ...section, name: "b", script: "" }]).withMark(mark);
    return openTicks(mark, (one) => [one]).push(run(shell, program + asks));
  };

  test("a section has no input, no stderr, the C locale, and what it remembers", () => {
    const script = 'cat; echo lost >&2; a_n=$((a_n+1)); echo "$LC_ALL $a_n"; (exit 7)';
    const ticks = say(script, "tick 1 a b\ntick 2 b a\n");
    expect(ticks.map((tick) => tick.sections.map(({ name, text, code }) => `${name} ${code} ${text}`))).toEqual([
      ["a 7 C 1\n", "b 0 "],
      ["b 0 ", "a 7 C 2\n"],
    ]);
  });

  test("a section that this program does not have is said to be missing", () => {
    expect(say("echo x", "tick 1 zzz a\n")[0]?.sections).toMatchObject([
      { name: "zzz", text: "", code: 127 },
      { name: "a", text: "x\n" },
    ]);
  });

  test("a command that takes too long is ended, with code 124 or 137", () => {
    const [tick] = say("lim 0.05 sleep 100");
    expect([124, 137]).toContain(tick?.sections[0]?.code);
  });

  test("a file that cannot be read does not hide those behind it", () => {
    const [tick] = say("show /proc/self/mem /proc/loadavg /no/such/file /proc/uptime");
    expect(tick?.sections[0]?.text).toMatch(/==> \/proc\/loadavg <==\n\d[\s\S]*==> \/proc\/uptime <==\n\d/);
  });
});
