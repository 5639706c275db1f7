import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button, IconButton } from "../view/button.tsx";
import { momentText } from "../view/format.ts";
import { type Span, shift } from "./metrics-range.ts";

interface MachineSpanProps {
  readonly span: Span;
  onSpan(span: Span): void;
}

const hour = 3_600_000;
const lengths = [
  { ms: hour / 12, word: "5 min" },
  { ms: hour, word: "1 h" },
  { ms: 6 * hour, word: "6 h" },
  { ms: 24 * hour, word: "24 h" },
  { ms: 7 * 24 * hour, word: "7 d" },
  { ms: 30 * 24 * hour, word: "30 d" },
] as const;

/** Which stretch of time the charts show. */
export function MachineSpan({ span, onSpan }: MachineSpanProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <fieldset
        aria-label="Time shown"
        className="inline-flex max-w-full flex-wrap gap-1 rounded-large border border-line bg-sunken p-1"
      >
        {lengths.map(({ ms, word }) => {
          const pressed = span.kind === "last" && span.ms === ms;
          return (
            <Button
              key={ms}
              size="small"
              kind={pressed ? "plain" : "quiet"}
              aria-pressed={pressed}
              onClick={() => onSpan({ kind: "last", ms })}
            >
              {word}
            </Button>
          );
        })}
      </fieldset>
      <div className="flex items-center gap-1">
        <IconButton label="Earlier" icon={ChevronLeft} onClick={() => onSpan(shift(span, -1, Date.now()))} />
        <IconButton
          label="Later"
          icon={ChevronRight}
          disabled={span.kind === "last"}
          onClick={() => onSpan(shift(span, 1, Date.now()))}
        />
      </div>
      {span.kind === "between" && (
        <span className="text-small text-soft">
          {momentText(span.startMs)} to {momentText(span.endMs)}
        </span>
      )}
    </div>
  );
}
