import { type KeyboardEvent, type RefObject, useEffect, useId, useMemo, useRef, useState } from "react";
import { cx } from "../view/class-names.ts";
import { TextWithCode } from "../view/code.tsx";
import { sentence } from "../view/fault.ts";
import { countText } from "../view/format.ts";
import { coloured, type Mistake, mistakeOf, type PieceKind } from "./metrics-colour.ts";
import { Proposals } from "./metrics-proposals.tsx";
import { mostLetters } from "./metrics-search.ts";
import { useProposals } from "./metrics-typing.ts";

interface QueryBoxProps {
  /** Read out: `Query A`. */
  readonly label: string;
  readonly text: string;
  /** Why the hub could not read it. */
  readonly refused: Mistake | undefined;
  onChange(text: string): void;
  onRun(): void;
}

const pieceColours: Readonly<Record<PieceKind, string>> = {
  plain: "text-ink",
  metric: "text-ink",
  function: "text-label-1",
  keyword: "text-label-3",
  number: "text-label-4",
  string: "text-label-2",
  operator: "text-soft",
  comment: "text-faint italic",
};

const wrongColour = "bg-bad-wash underline decoration-bad decoration-wavy underline-offset-4";

/** Both layers are set alike, so that each letter of the one lies on the same letter of the other. */
const layer =
  "m-0 block w-full whitespace-pre-wrap break-words border-0 px-3 py-2 font-mono text-base [tab-size:4] pointer-coarse:text-large";
/** Whoever pauses so long wants to hear what is wrong. */
const pauseMs = 450;

/** A box for one query: colours, what is wrong where, and proposals, by keyboard alone. */
export function QueryBox({ label, text, refused, onChange, onRun }: QueryBoxProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const under = useRef<HTMLPreElement>(null);
  const proposing = useProposals(text, area);
  const { open, proposals } = proposing;
  const settled = usePaused(text);
  // Who is just choosing a word knows that the query is not at its end.
  const own = useMemo(() => (settled === text && !open ? mistakeOf(text) : undefined), [settled, text, open]);
  const mistake = own ?? refused;
  const errorId = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    if (proposing.onKeyDown(event) || event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    proposing.close();
    onRun();
  };
  return (
    <div className="min-w-0 flex-1">
      <div
        className={cx(
          "relative rounded-base border bg-surface focus-within:outline-2 focus-within:outline-accent focus-within:outline-offset-1",
          mistake ? "border-bad" : "border-edge",
        )}
      >
        <Colours under={under} text={text} wrong={mistake} />
        <textarea
          ref={area}
          rows={1}
          maxLength={mostLetters}
          value={text}
          onChange={(event) => {
            onChange(event.target.value);
            proposing.onInput(event.target);
          }}
          onSelect={(event) => proposing.onMove(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onBlur={proposing.close}
          aria-label={label}
          {...proposing.aria}
          aria-invalid={mistake !== undefined || undefined}
          aria-describedby={mistake ? errorId : undefined}
          placeholder="A query in PromQL, such as up"
          autoCapitalize="off"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          className={cx(
            layer,
            "absolute inset-0 h-full resize-none overflow-hidden bg-transparent text-transparent caret-ink outline-none",
          )}
        />
        {open && <Proposals {...proposing} under={under} />}
      </div>
      <span role="status" className="sr-only">
        {open ? countText(proposals.length, "proposal") : ""}
      </span>
      <div id={errorId} aria-live="polite">
        {mistake && <MistakeNote mistake={mistake} lines={text.includes("\n")} />}
      </div>
    </div>
  );
}

interface ColoursProps {
  readonly under: RefObject<HTMLPreElement | null>;
  readonly text: string;
  readonly wrong: QueryBoxProps["refused"];
}

/** The same text below the box, in colours, with what is wrong underlined. */
function Colours({ under, text, wrong }: ColoursProps) {
  const pieces = useMemo(() => coloured(text, wrong), [text, wrong]);
  return (
    <pre ref={under} aria-hidden className={cx(layer, "pointer-events-none min-h-9")}>
      {pieces.map((piece) => (
        <span key={piece.start} className={cx(pieceColours[piece.kind], piece.wrong && wrongColour)}>
          {piece.text}
        </span>
      ))}
      {/* A line that was just begun has its height. */}
      {text === "" || text.endsWith("\n") ? "\u200b" : ""}
    </pre>
  );
}

function MistakeNote({ mistake, lines }: { readonly mistake: Mistake; readonly lines: boolean }) {
  const { line, column, words, hint } = mistake;
  return (
    <p className="mt-1 text-small [overflow-wrap:anywhere]">
      <span className="text-bad">
        {lines ? `Line ${line}, column ${column}` : `Column ${column}`}: <TextWithCode text={sentence(words)} />
      </span>{" "}
      {hint !== undefined && (
        <span className="text-soft">
          <TextWithCode text={hint} />
        </span>
      )}
    </p>
  );
}

/** The text, once it has not changed for a while. */
function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
}
