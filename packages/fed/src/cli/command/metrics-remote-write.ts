import { systemClock } from "#base/clock.ts";
import { api } from "#wire/api.ts";
import type { RemoteWriteTarget } from "#wire/remote-write.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { ageOf } from "../moment.ts";
import { sizeText } from "../size.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "The targets of `metrics.remoteWrite` in the lab. What a target has not got waits on the hub's disk, up to 1 GiB.",
    "Ends with 3 when one cannot be sent to.",
  ],
  examples: [
    { line: "fed metrics remote-write", says: "show them" },
    {
      line: "fed metrics remote-write --json",
      says: "print an array of objects with name, state, pendingBytes, lagMs and more",
    },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { targets } = await client.call(api.remoteWriteTargets, {}, signal);
    if (screen.json) screen.data(targets);
    else if (targets.length === 0) {
      screen.line("Metrics are sent on to nobody: name somebody in the lab, under `metrics.remoteWrite`.");
    } else {
      const nowMs = systemClock.nowMs();
      screen.table({
        columns: [
          { title: "TARGET" },
          { title: "STATE" },
          { title: "SENT", align: "right" },
          { title: "WAITING", align: "right" },
          { title: "BEHIND", align: "right", quiet: true },
          { title: "REFUSED", align: "right" },
          { title: "DROPPED", align: "right" },
          { title: "" },
        ],
        rows: targets.map((one) => [
          { text: one.name, style: "strong" },
          { text: one.state, style: one.state === "failing" ? "bad" : "good" },
          one.sentSamples.toLocaleString("en"),
          sizeText(one.pendingBytes),
          one.lagMs === 0 ? "" : ageOf(nowMs - one.lagMs, nowMs),
          one.refusedSamples.toLocaleString("en"),
          one.droppedSamples.toLocaleString("en"),
          { text: troubleOf(one, nowMs), style: "dim" },
        ]),
      });
    }
    return targets.some(({ state }) => state === "failing") ? 3 : 0;
  },
});

function troubleOf({ state, url, lastError }: RemoteWriteTarget, nowMs: number): string {
  if (lastError === undefined) return url;
  return state === "failing" ? lastError.reason : `${ageOf(lastError.atMs, nowMs)} ago: ${lastError.reason}`;
}
