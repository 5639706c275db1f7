import { Badge, StateMark } from "../view/badge.tsx";
import type { Chip } from "./machine-trouble.ts";

/** What somebody should know of a machine at a glance. */
export function MachineChips({ chips }: { readonly chips: readonly Chip[] }) {
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Of note" className="flex flex-wrap gap-1.5">
      {chips.map(({ word, tone }) => (
        <li key={word}>
          <Badge tone={tone}>
            {tone !== "idle" && <StateMark look={{ tone }} className="size-3.5" />}
            {word}
          </Badge>
        </li>
      ))}
    </ul>
  );
}
