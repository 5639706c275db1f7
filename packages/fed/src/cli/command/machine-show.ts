import { systemClock } from "#base/clock.ts";
import { api } from "#wire/api.ts";
import type { WireMachineDetail } from "#wire/machine.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { remarksOf, seenText, stateStyles, withLastSeen } from "../machine-words.ts";
import { ageOf, localTime } from "../moment.ts";
import type { Screen, Span, Style } from "../print.ts";
import { countText, sizeText } from "../size.ts";

export const command = defineCommand({
  args: { name: { kind: "text", description: "Name of the machine" } },
  flags: {
    ...hubFlags,
    look: { kind: "switch", description: "Ask it for everything now, instead of what it said last" },
  },
  details: ["What it is, how it is, what runs on it and what it needs. Ends with 3 when it is an offline server."],
  examples: [
    { line: "fed machine show node5", says: "what it said last" },
    { line: "fed machine show node5 --look", says: "what it says now" },
    { line: "fed machine show node5 --json", says: "as data" },
  ],
  async run({ args: { name }, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    if (flags.look) await client.call(api.lookAtMachine, { name }, signal);
    const machine = await client.call(api.machine, { name }, signal);
    if (screen.json) screen.data(withLastSeen(machine));
    else show(machine, screen, systemClock.nowMs());
    return machine.state === "offline" ? 3 : 0;
  },
});

function show(machine: WireMachineDetail, screen: Screen, nowMs: number): void {
  const { name, kind, state, sinceMs, mode, address, port, intervalMs, facts, maintenance, hostKey, services } =
    machine;
  screen.line(
    { text: name, style: "strong" },
    `  ${kind}  `,
    { text: state, style: stateStyles[state] },
    ` for ${ageOf(sinceMs, nowMs)}`,
  );
  const facet = (title: string, text: string) => {
    if (text !== "") screen.line({ text: title.padEnd(12), style: "dim" }, text);
  };
  facet("remarks", remarksOf(machine));
  facet("last seen", seenText(machine, nowMs));
  const how = { local: "the hub's own machine", ssh: "asked by SSH", push: "reports by itself" }[mode];
  const where =
    address === undefined || mode === "local" ? "" : ` at ${address}${port === undefined ? "" : `, port ${port}`}`;
  facet("reached", `${how}${where}, every ${intervalMs / 1_000} s`);
  if (maintenance) {
    const until = maintenance.untilMs === undefined ? "" : ` until ${localTime(maintenance.untilMs)}`;
    facet(
      "maintenance",
      `since ${localTime(maintenance.sinceMs)}${until}${maintenance.reason === "" ? "" : `: ${maintenance.reason}`}`,
    );
  }
  if (facts) {
    facet("system", [facts.os, facts.kernel, facts.architecture].join(", "));
    const hardware = [
      facts.cpu,
      countText(facts.cores, "core"),
      sizeText(facts.memoryBytes),
      facts.hardware,
      facts.virtualization,
    ];
    facet("hardware", hardware.filter((one) => one !== undefined).join(", "));
    facet("started", `${ageOf(facts.bootedMs, nowMs)} ago`);
  }
  facet("services", services.join(", "));
  if (hostKey) {
    screen.line(
      { text: "host key", style: "bad" },
      `    shows ${hostKey.offered.fingerprint}, is known by another: fed machine trust ${name}`,
    );
  }
  for (const { collector, reason, sinceMs: since } of machine.problems) {
    screen.line({ text: "problem".padEnd(12), style: "warn" }, `${collector}: ${reason} (for ${ageOf(since, nowMs)})`);
  }
  lists(machine, screen);
}

/** What is in trouble stands in full; of the rest as much as is read at a glance. */
function lists({ units, containers, processes, updates, storage }: WireMachineDetail, screen: Screen): void {
  const failed = (units ?? []).filter(({ active }) => active === "failed");
  list(
    screen,
    `${countText(units?.length ?? 0, "unit")}, ${failed.length} failed`,
    units,
    failed,
    ["UNIT", "STATE", "DESCRIPTION"],
    ({ name, sub, restarts, description }) => [
      { text: name, style: "bad" },
      `${sub}, started again ${countText(restarts, "time")}`,
      description,
    ],
  );
  list(
    screen,
    countText(containers?.length ?? 0, "container"),
    containers,
    containers ?? [],
    ["CONTAINER", "STATE", "USES"],
    ({ name, state, health, cpu, memoryBytes, image }) => [
      name,
      styled(health ?? state, state === "running" && health !== "unhealthy" ? "good" : "warn"),
      [
        cpu === undefined ? "" : `${cpu.toFixed(2)} cores`,
        memoryBytes === undefined ? "" : sizeText(memoryBytes),
        image,
      ]
        .filter((one) => one !== "")
        .join(", "),
    ],
  );
  if (storage?.length)
    list(screen, "storage", storage, storage, ["STORAGE", "HEALTH", ""], ({ name, health, detail }) => [
      name,
      styled(health, health === "good" ? "good" : health === "unknown" ? "dim" : "bad"),
      detail,
    ]);
  const security = (updates ?? []).filter(({ security: one }) => one);
  list(
    screen,
    `${countText(updates?.length ?? 0, "update")}, ${security.length} for security`,
    updates,
    security.slice(0, 20),
    ["PACKAGE", "HAS", "CAN HAVE"],
    ({ name, current, next }) => [name, current ?? "new", next],
  );
  list(
    screen,
    "busiest processes",
    processes,
    (processes ?? []).slice(0, 10),
    ["PROCESS", "PID", "USES"],
    ({ name, pid, cpu, memoryBytes, user }) => [
      name,
      `${pid}, ${user}`,
      `${cpu === undefined ? "" : `${cpu.toFixed(2)} cores, `}${sizeText(memoryBytes)}`,
    ],
  );
}

const styled = (text: string, style: Style): Span => ({ text, style });

function list<T>(
  screen: Screen,
  title: string,
  told: readonly T[] | undefined,
  shown: readonly T[],
  titles: readonly string[],
  row: (one: T) => readonly Span[],
): void {
  if (told === undefined) return;
  screen.line("");
  screen.line({ text: title, style: "strong" });
  if (shown.length > 0) screen.table({ columns: titles.map((one) => ({ title: one })), rows: shown.map(row) });
}
