import { Eye, EyeOff, X } from "lucide-react";
import { IconButton } from "../view/button.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { readFault } from "../view/fault.ts";
import type { Asked } from "./metrics-ask.ts";
import { QueryBox } from "./metrics-box.tsx";
import { refusalOf } from "./metrics-colour.ts";

interface RowProps {
  readonly letter: string;
  /** What stands in the box, and what was run. */
  readonly draft: string;
  readonly text: string;
  readonly hidden: boolean;
  readonly alone: boolean;
  readonly asked: Asked | undefined;
  onDraft(text: string): void;
  onRun(): void;
  onHide(hidden: boolean): void;
  onRemove(): void;
}

/** One query: its box, and what the hub says of it beside the values. */
export function QueryRow(props: RowProps) {
  const { letter, draft, text, hidden, alone, asked, onDraft, onRun, onHide, onRemove } = props;
  const failure = draft === text && !hidden ? asked?.failure : undefined;
  const fault = failure && readFault(failure.thrown);
  const refused = fault && fault.code === "invalid" ? refusalOf(text, fault) : undefined;
  return (
    <li className="flex flex-col gap-1">
      <div className="flex items-start gap-1.5">
        {!alone && <span className="w-4 shrink-0 pt-2 text-center font-semibold text-soft">{letter}</span>}
        <QueryBox label={`Query ${letter}`} text={draft} refused={refused} onChange={onDraft} onRun={onRun} />
        {!alone && (
          <>
            <IconButton
              label={hidden ? `Show ${letter}` : `Hide ${letter}`}
              icon={hidden ? EyeOff : Eye}
              pressed={hidden}
              onClick={() => onHide(!hidden)}
            />
            <IconButton label={`Remove ${letter}`} icon={X} onClick={onRemove} />
          </>
        )}
      </div>
      {failure !== undefined && refused === undefined && <ErrorState thrown={failure.thrown} retry={onRun} small />}
      {!hidden && <Notes asked={asked} />}
    </li>
  );
}

/** As Prometheus says that it kept to the limit that was asked for. */
const cutWords = "results truncated due to limit";

/** Without Prometheus' word for what kind of remark it is. */
const bare = (words: string) => words.replace(/^PromQL (warning|info): /, "");

/** What the hub remarks on its own answer. */
function Notes({ asked }: { readonly asked: Asked | undefined }) {
  const { warnings = [], infos = [] } = asked?.told ?? {};
  if (warnings.length + infos.length === 0) return null;
  return (
    <ul aria-label="Remarks" className="flex flex-col gap-0.5 text-small">
      {warnings.map((words) => (
        <li key={words} className="text-warn [overflow-wrap:anywhere]">
          Warning: {words === cutWords ? "not all series are here, for there are too many" : bare(words)}
        </li>
      ))}
      {infos.map((words) => (
        <li key={words} className="text-soft [overflow-wrap:anywhere]">
          Note: {bare(words)}
        </li>
      ))}
    </ul>
  );
}
