/**
 * `uptime` on 50 machines by SSH: 50 sshd on addresses of loopback, against `ansible all -m raw -f 50` with pipelining and its own
 * kept-open connections. Cold: the first time, logins included; warm: again. `alone`: without ansible, which loads a machine of two cores
 * for a minute.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSshShell } from "../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { fanOut } from "../packages/fed/src/base/fan-out.ts";
import { silentTrace } from "../packages/fed/src/base/trace.ts";
import type { Shell } from "../packages/fed/src/port/shell.ts";
import { openSshd, type Sshd } from "../test/e2e/sshd-server.ts";

const machines = 50;
const rounds = 20;
/** As many as keep two cores busy; more at once only wait for each other. */
const atOnce = 8;
const going = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "fed-bench-fan-out-"));
const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];

interface Round {
  readonly tookMs: number;
  readonly eachMs: readonly number[];
}

async function uptimeOn(shells: readonly Shell[], together: number): Promise<Round> {
  const beganMs = performance.now();
  const outcomes = await fanOut(
    shells,
    together,
    async (shell, signal) => {
      const startedMs = performance.now();
      const { stdout } = await shell.run({ argv: ["uptime"] }, { timeoutMs: 30_000 }, signal);
      if (!stdout.includes("load average")) throw new Error(`${shell.name} said: ${stdout}`);
      return performance.now() - startedMs;
    },
    going,
  );
  const eachMs = outcomes.map((outcome) => {
    if (outcome.kind === "failed") throw outcome.reason;
    return outcome.value;
  });
  return { tookMs: performance.now() - beganMs, eachMs };
}

function openShells(sshds: readonly Sshd[]): readonly Shell[] {
  return sshds.map((sshd, index) =>
    openSshShell(`node${index}`, {
      ...{ clock: systemClock, trace: silentTrace },
      login: async () => sshd.login(`node${index}`),
      checkHostKey: () => ({ kind: "trusted" }),
    }),
  );
}

/** Milliseconds; undefined without ansible. */
function ansible(sshds: readonly Sshd[]): (() => number) | undefined {
  if (process.argv.includes("alone") || spawnSync("ansible", ["--version"]).status !== 0) return undefined;
  const hosts = sshds.map(
    ({ host, port, key }, index) =>
      `node${index} ansible_host=${host} ansible_port=${port} ansible_ssh_private_key_file=${key}`,
  );
  const inventory = join(folder, "inventory");
  const sockets = join(folder, "c");
  mkdirSync(sockets);
  writeFileSync(inventory, `${hosts.join("\n")}\n`);
  undo.push(() => {
    for (const { host, port } of sshds)
      spawnSync("ssh", ["-O", "exit", "-o", `ControlPath=${sockets}/%h-%p`, "-p", String(port), host]);
  });
  const env = {
    ...process.env,
    ANSIBLE_PIPELINING: "True",
    ANSIBLE_HOST_KEY_CHECKING: "False",
    ANSIBLE_SSH_ARGS: "-C -o ControlMaster=auto -o ControlPersist=600s",
    ANSIBLE_SSH_CONTROL_PATH: `${sockets}/%%h-%%p`,
    ANSIBLE_LOCAL_TEMP: join(folder, "local"),
  };
  return () => {
    const beganMs = performance.now();
    const { status, stdout } = spawnSync("ansible", ["all", "-i", inventory, "-m", "raw", "-a", "uptime", "-f", "50"], {
      ...{ env, encoding: "utf8" },
    });
    const said = stdout.match(/load average/g)?.length;
    if (status !== 0 || said !== machines) throw new Error(`ansible failed: ${stdout.slice(0, 2_000)}`);
    return performance.now() - beganMs;
  };
}

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;
const ms = (value: number) => `${value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")} ms`;

function print(what: string, figure: number, peer: number | undefined, aim: string): void {
  const ratio =
    peer === undefined ? "without ansible" : `ansible: ${ms(peer)}, ${(peer / figure).toFixed(1)} times as long`;
  process.stdout.write(`${what}: ${ms(figure)}; ${ratio} (${aim})\n`);
}

try {
  const sshds: Sshd[] = [];
  for (let index = 0; index < machines; index++) {
    const { sshd, end } = await openSshd({ addresses: [`127.0.0.${index + 2}`] });
    undo.push(end);
    sshds.push(sshd);
  }
  const runAnsible = ansible(sshds);
  const [ansibleCold, ansibleWarm] = [runAnsible?.(), runAnsible?.()];
  const shells = openShells(sshds);
  undo.push(() => Promise.all(shells.map((shell) => shell.close())));
  const cold = await uptimeOn(shells, machines);
  const warm: Round[] = [];
  for (let round = 0; round < rounds; round++) warm.push(await uptimeOn(shells, atOnce));
  const all = warm.flatMap(({ eachMs }) => eachMs);
  print(`cold, ${machines} machines`, cold.tookMs, ansibleCold, "at least 5");
  const median = quantile(
    warm.map(({ tookMs }) => tookMs),
    0.5,
  );
  print(`warm, ${machines} machines, ${atOnce} at once, median of ${rounds}`, median, ansibleWarm, "at least 40");
  process.stdout.write(
    `warm, each command: median ${ms(quantile(all, 0.5))}, p95 ${ms(quantile(all, 0.95))} (at most 50 ms)\n`,
  );
  const [first] = shells;
  if (first !== undefined) {
    const alone: number[] = [];
    for (let i = 0; i < 200; i++) alone.push((await uptimeOn([first], 1)).tookMs);
    process.stdout.write(`one machine, one command after the other: median ${ms(quantile(alone, 0.5))}\n`);
  }
} finally {
  for (const step of undo.reverse()) await step();
}
