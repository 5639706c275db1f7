import { ChevronLeft, ChevronRight, ZoomIn, ZoomOut } from "lucide-react";
import { IconButton } from "../view/button.tsx";
import { Input, Select, Switch } from "../view/field.tsx";
import { durationText } from "../view/format.ts";
import { between, lengthOf, type Span, shift, spans, steps, zoom } from "./metrics-range.ts";

export interface PickerProps {
  readonly span: Span;
  /** The step that was chosen, and the one that is used. */
  readonly chosenStepMs: number | undefined;
  readonly stepMs: number;
  readonly live: boolean;
  onSpan(span: Span): void;
  onStep(stepMs: number | undefined): void;
  onLive(live: boolean): void;
}

/** Which stretch of time is shown, and in which steps. */
export function Picker({ span, chosenStepMs, stepMs, live, onSpan, onStep, onLive }: PickerProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <div className="flex items-center gap-1">
        <IconButton label="Earlier ( [ )" icon={ChevronLeft} onClick={() => onSpan(shift(span, -1, Date.now()))} />
        <SpanSelect span={span} onSpan={onSpan} />
        <IconButton
          label="Later ( ] )"
          icon={ChevronRight}
          disabled={span.kind === "last"}
          onClick={() => onSpan(shift(span, 1, Date.now()))}
        />
        <IconButton label="Closer ( + )" icon={ZoomIn} onClick={() => onSpan(zoom(span, 0.5, Date.now()))} />
        <IconButton label="Wider ( - )" icon={ZoomOut} onClick={() => onSpan(zoom(span, 2, Date.now()))} />
      </div>
      {span.kind === "between" && <Moments span={span} onSpan={onSpan} />}
      <Select
        aria-label="Step"
        className="w-36"
        value={chosenStepMs ?? "auto"}
        onChange={({ target }) => onStep(target.value === "auto" ? undefined : Number(target.value))}
      >
        <option value="auto">{chosenStepMs === undefined ? `Step: ${durationText(stepMs)}` : "Step by width"}</option>
        {[...new Set([...steps, ...(chosenStepMs === undefined ? [] : [chosenStepMs])])]
          .sort((a, b) => a - b)
          .map((ms) => (
            <option key={ms} value={ms}>
              {durationText(ms)}
            </option>
          ))}
      </Select>
      <Switch label="Live" checked={live} onChange={onLive} />
    </div>
  );
}

function SpanSelect({ span, onSpan }: Pick<PickerProps, "span" | "onSpan">) {
  const lengthMs = lengthOf(span);
  const known = spans.some(({ ms }) => ms === lengthMs);
  const choose = (value: string) => {
    if (value === "between") onSpan(between(Date.now() - lengthMs, Date.now()));
    else onSpan({ kind: "last", ms: Number(value) });
  };
  return (
    <Select
      aria-label="Range"
      className="w-40"
      value={span.kind === "between" ? "between" : span.ms}
      onChange={({ target }) => choose(target.value)}
    >
      {!known && span.kind === "last" && <option value={span.ms}>Last {durationText(span.ms)}</option>}
      {spans.map(({ ms, word }) => (
        <option key={ms} value={ms}>
          Last {word}
        </option>
      ))}
      <option value="between">From … to …</option>
    </Select>
  );
}

function Moments({ span, onSpan }: { readonly span: Extract<Span, { kind: "between" }>; onSpan(span: Span): void }) {
  const field = (label: string, atMs: number, change: (ms: number) => Span) => (
    <Input
      key={label}
      type="datetime-local"
      step={1}
      aria-label={label}
      value={localText(atMs)}
      onChange={({ target }) => {
        const ms = new Date(target.value).getTime();
        if (Number.isFinite(ms) && ms > 0) onSpan(change(ms));
      }}
      className="w-60! max-sm:w-full!"
    />
  );
  return (
    <div className="flex flex-wrap items-center gap-2">
      {field("From", span.startMs, (ms) =>
        ms < span.endMs ? between(ms, span.endMs) : between(ms, ms + lengthOf(span)),
      )}
      <span className="text-soft">to</span>
      {field("To", span.endMs, (ms) =>
        ms > span.startMs ? between(span.startMs, ms) : between(ms - lengthOf(span), ms),
      )}
    </div>
  );
}

/** As the field takes it: in the reader's time zone, without one. */
function localText(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
