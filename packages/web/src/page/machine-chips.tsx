import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { Badge, StateMark } from "../view/badge.tsx";
import type { Tone } from "../view/tone.ts";
import { chipsOf } from "./machine-trouble.ts";

/** What somebody should know of a machine at a glance. */
export function MachineChips({ machine }: { readonly machine: WireMachine }) {
  const chips = chipsOf(machine);
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Of note" className="flex flex-wrap gap-1.5">
      {chips.map(({ word, tone }) => (
        <li key={word}>
          <Chip word={word} tone={tone} />
        </li>
      ))}
    </ul>
  );
}

function Chip({ word, tone }: { readonly word: string; readonly tone: Tone }) {
  return (
    <Badge tone={tone}>
      {tone !== "idle" && <StateMark look={{ tone }} className="size-3.5" />}
      {word}
    </Badge>
  );
}
