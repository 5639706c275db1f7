import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { WireRelease, WireReleaseDetail, WireReleaseDiff, WireRollout } from "#wire/release.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { ageOf, localTime, tookText } from "../moment.ts";
import type { Screen, Span } from "../print.ts";
import { stateStyles } from "../rollout.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

const number = { kind: "count", min: 1, max: 1_000_000_000, optional: true } as const;

export const command = defineCommand({
  args: {
    service: serviceArg,
    release: { ...number, description: "Show this release, field by field" },
    other: { ...number, description: "Show what changed from that release to this one" },
  },
  flags: placeFlags,
  examples: [
    { line: "fed releases prod/blog", says: "what is kept, and how the last rollouts went" },
    { line: "fed releases prod/blog 4", says: "what release 4 says" },
    { line: "fed releases prod/blog 3 4", says: "what changed from release 3 to release 4" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { environment, service } = await findService(client, args.service, signal, flags.env);
    const place = { environment, service };
    if (args.release === undefined) {
      const found = await client.call(api.releases, place, signal);
      if (screen.json) screen.data(found);
      else showAll(screen, found.releases, found.rollouts);
    } else if (args.other === undefined) {
      const found = await client.call(api.release, { ...place, number: args.release }, signal);
      if (screen.json) screen.data(found);
      else showOne(screen, found);
    } else {
      if (args.release === args.other) throw new Fault("invalid", "these are one release", { hint: "Name two." });
      const wish = { ...place, from: args.release, number: args.other };
      const found = await client.call(api.releaseDiff, wish, signal);
      if (screen.json) screen.data(found);
      else showDiff(screen, found);
    }
    return 0;
  },
});

function showAll(screen: Screen, releases: readonly WireRelease[], rollouts: readonly WireRollout[]): void {
  const nowMs = Date.now();
  if (releases.length === 0) screen.line("No releases yet.");
  else {
    screen.table({
      columns: ["RELEASE", "STATE", "MADE OF", "MACHINE", "AGE", "BY"].map((title) => ({ title })),
      rows: releases.map((one) => [
        { text: String(one.number), style: "strong" },
        standingOf(one, rollouts),
        artifactText(one.artifact),
        one.machine,
        ageOf(one.madeMs, nowMs),
        one.madeBy,
      ]),
    });
  }
  if (rollouts.length === 0) return;
  screen.line("");
  screen.table({
    columns: ["ROLLOUT", "RELEASE", "STATE", "AGE", "TOOK", "BY", ""].map((title) => ({ title })),
    rows: rollouts.map((one) => [
      one.cause,
      one.release === undefined ? "–" : String(one.release.number),
      { text: one.state, style: stateStyles[one.state] },
      ageOf(one.beganMs, nowMs),
      one.endedMs === undefined ? "–" : tookText(one.endedMs - one.beganMs),
      one.by,
      { text: one.reason || nowText(one), style: "dim" },
    ]),
  });
}

function standingOf({ wanted, good }: WireRelease, rollouts: readonly WireRollout[]): Span {
  const open = rollouts.some(({ endedMs }) => endedMs === undefined);
  if (wanted && good) return { text: "current", style: "good" };
  // Chosen while nothing of the service was to run, or the first one, which was given up: it proves itself once it runs.
  if (wanted) return open ? { text: "on its way", style: "accent" } : { text: "chosen, never served", style: "warn" };
  return { text: good ? "kept" : "never served", style: "dim" };
}

/** What an open rollout does now. */
function nowText({ steps, waits }: WireRollout): string {
  return waits ?? steps.findLast(({ state }) => state === "running")?.text ?? "";
}

function artifactText(artifact: WireRelease["artifact"]): string {
  if (artifact.kind === "process") return "process";
  const id = artifact.id.replace(/^sha256:/, "").slice(0, 12);
  const what = artifact.reference ?? artifact.source ?? "image";
  const commit = artifact.commit === undefined ? "" : ` at ${artifact.commit.slice(0, 8)}`;
  return `${what}${commit} (${id})`;
}

function showOne(screen: Screen, { number, fields, spec, madeMs, madeBy, ...release }: WireReleaseDetail): void {
  const { environment, service } = release;
  screen.line(
    { text: `release ${number} of ${environment}/${service}`, style: "strong" },
    { text: `  ${spec}  made ${localTime(madeMs)} by ${madeBy}`, style: "dim" },
  );
  const rows = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  screen.table({ columns: ["FIELD", "VALUE"].map((title) => ({ title })), rows });
}

function showDiff(screen: Screen, { from, to, changes }: WireReleaseDiff): void {
  const title = `${from.environment}/${from.service}: release ${from.number} → ${to.number}`;
  screen.line({ text: title, style: "strong" });
  if (changes.length === 0) screen.line("They say the same.");
  for (const { field, from: before, to: after } of changes) {
    if (before !== undefined) screen.line({ text: `- ${field}: ${before}`, style: "bad" });
    if (after !== undefined) screen.line({ text: `+ ${field}: ${after}`, style: "good" });
  }
}
