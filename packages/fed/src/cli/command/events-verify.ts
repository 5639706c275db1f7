import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { notedShape, type Verdict } from "#wire/event.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen } from "../print.ts";

export const command = defineCommand({
  args: {},
  flags: {
    ...hubFlags,
    head: {
      kind: "text",
      value: "SEQUENCE:HASH",
      description: "A head printed earlier: prove that it is still in the chain",
    },
  },
  details: [
    "Every event carries the hash of the one before. This walks from the base (the last event that retention dropped) to",
    "the head (the newest) and proves that nothing between them was changed, removed or put in. That the end was cut off",
    "before the hub started, or that all was written anew, only an earlier head shows: note it elsewhere, come with --head.",
    "Ends with 5 when the chain is broken, with 1 when the event of --head is not in it.",
  ],
  examples: [
    { line: "fed events verify", says: "sound, or which event is not what was written" },
    { line: "fed events verify | grep ^head >> ~/elsewhere/heads", says: "note the head" },
    { line: "fed events verify --head 41:9f86d081…", says: "prove that event 41 is still the one that was noted" },
  ],
  async run({ flags, env, screen, signal }) {
    const { head } = flags;
    if (head !== undefined) requireNoted(head);
    const client = await openClient(flags, env, signal);
    const verdict = await client.call(api.verifyEvents, { head }, signal);
    if (screen.json) screen.data(verdict);
    show(screen, verdict, head);
    return { sound: 0, broken: 5, parted: 1 }[verdict.kind];
  },
});

function requireNoted(head: string): void {
  if (notedShape.safeParse(head).success) return;
  throw new Fault("invalid", `--head is no noted event: ${JSON.stringify(head)}`, {
    hint: "write it as fed events verify printed it: the number, a colon, the 64 letters of the hash",
  });
}

function show(screen: Screen, verdict: Verdict, noted: string | undefined): void {
  if (verdict.kind !== "sound") {
    const at = verdict.kind === "broken" ? `at event ${verdict.sequence}: ` : "";
    screen.line({ text: `${verdict.kind} `, style: "bad" }, `${at}${verdict.reason}`);
    return;
  }
  const { events, first, last, base, head } = verdict;
  const count = `${events} ${events === 1 ? "event" : "events"}, ${first} to ${last}`;
  screen.line({ text: "sound ", style: "good" }, `${count}: none was changed, removed or put in`);
  if (noted !== undefined)
    screen.line({ text: "kept ", style: "good" }, `event ${noted.split(":")[0]} is the noted one`);
  screen.line({ text: base === "" ? "base 0 (nothing was dropped)" : `base ${first - 1}:${base}`, style: "dim" });
  screen.line({ text: `head ${last}:${head}`, style: "dim" });
}
