import { Link } from "@tanstack/react-router";
import { Badge, StateMark } from "../view/badge.tsx";
import type { Chip } from "./machine-trouble.ts";

interface MachineChipsProps {
  readonly chips: readonly Chip[];
  /** The machine to whose lists they lead; left out where they stand inside of a link. */
  readonly to?: string;
}

/** What somebody should know of a machine at a glance. */
export function MachineChips({ chips, to }: MachineChipsProps) {
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Of note" className="flex flex-wrap gap-1.5">
      {chips.map((chip) => (
        <li key={chip.word}>
          {to === undefined || chip.tab === undefined ? (
            <Mark chip={chip} />
          ) : (
            <Link
              to="/machines/$name"
              params={{ name: to }}
              search={{ tab: chip.tab }}
              resetScroll={false}
              className="rounded-base hover:underline"
            >
              <Mark chip={chip} />
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}

function Mark({ chip: { word, tone } }: { readonly chip: Chip }) {
  return (
    <Badge tone={tone}>
      {tone !== "idle" && <StateMark look={{ tone }} className="size-3.5" />}
      {word}
    </Badge>
  );
}
