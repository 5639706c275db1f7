import { complete } from "@fed/fed/engine/promql/complete.ts";
import {
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { cx } from "../view/class-names.ts";
import { TextWithCode } from "../view/code.tsx";
import { sentence } from "../view/fault.ts";
import { countText } from "../view/format.ts";
import { coloured, type Mistake, mistakeOf, type PieceKind } from "./metrics-colour.ts";
import { useKnownNames } from "./metrics-names.ts";
import { Proposals } from "./metrics-proposals.tsx";
import { choose, type Proposal, propose } from "./metrics-propose.ts";

interface QueryBoxProps {
  /** Read out: `Query A`. */
  readonly label: string;
  readonly text: string;
  /** Where the hub says that it is wrong. */
  readonly refused: { readonly start: number; readonly end: number } | undefined;
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
  const { open, proposals, active, listId } = proposing;
  const settled = usePaused(text);
  // Who is just choosing a word knows that the query is not at its end.
  const mistake = useMemo(() => (settled === text && !open ? mistakeOf(text) : undefined), [settled, text, open]);
  const errorId = useId();
  const pieces = useMemo(() => coloured(text, mistake ?? refused), [text, mistake, refused]);
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
          mistake || refused ? "border-bad" : "border-edge",
        )}
      >
        <pre ref={under} aria-hidden className={cx(layer, "pointer-events-none min-h-9")}>
          {pieces.map(({ start, text: piece, kind, wrong }) => (
            <span
              key={start}
              className={cx(
                pieceColours[kind],
                wrong && "bg-bad-wash underline decoration-bad decoration-wavy underline-offset-4",
              )}
            >
              {piece}
            </span>
          ))}
          {/* A line that was just begun has its height. */}
          {text === "" || text.endsWith("\n") ? "\u200b" : ""}
        </pre>
        <textarea
          ref={area}
          rows={1}
          value={text}
          onChange={(event) => {
            onChange(event.target.value);
            proposing.onInput(event.target);
          }}
          onSelect={(event) => proposing.onMove(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onBlur={proposing.close}
          aria-label={label}
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={open ? listId : undefined}
          aria-activedescendant={open && active >= 0 ? `${listId}-${active}` : undefined}
          aria-invalid={mistake !== undefined || refused !== undefined || undefined}
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

/** What opens the list by itself: the beginning of a name, or of a place where only names stand. */
const opens = /[A-Za-z0-9_:.]$|[({["',]$|[=~]$/;

function useProposals(text: string, area: RefObject<HTMLTextAreaElement | null>) {
  const [cursor, setCursor] = useState(0);
  const [wanted, setWanted] = useState(false);
  const [picked, setPicked] = useState(0);
  const listId = useId();
  const completion = useMemo(() => (wanted ? complete(text, cursor) : undefined), [wanted, text, cursor]);
  const known = useKnownNames(completion);
  const proposals = useMemo(
    () => (completion ? propose(completion, known, text.slice(cursor)) : []),
    [completion, known, text, cursor],
  );
  const open = wanted && proposals.length > 0;
  const active = Math.min(picked, proposals.length - 1);
  const nextCursor = useRef<number>(undefined);
  useLayoutEffect(() => {
    const at = nextCursor.current;
    if (at === undefined || area.current === null) return;
    nextCursor.current = undefined;
    area.current.setSelectionRange(at, at);
  });
  const close = () => setWanted(false);
  const take = (proposal: Proposal | undefined) => {
    if (proposal === undefined || completion === undefined || area.current === null) return;
    const chosen = choose(text, completion, proposal);
    area.current.focus();
    area.current.setSelectionRange(completion.start, completion.end);
    // The browser's own way of typing: it can be undone with Ctrl-Z.
    if (document.execCommand("insertText", false, proposal.insert)) nextCursor.current = chosen.cursor;
    setPicked(0);
    setWanted(/[({]$/.test(proposal.insert));
  };
  return {
    ...{ open, proposals, active, listId, close, take, completion },
    onInput({ value, selectionStart }: HTMLTextAreaElement) {
      setCursor(selectionStart);
      setPicked(0);
      setWanted(opens.test(value.slice(0, selectionStart)));
    },
    onMove(at: number) {
      if (at !== cursor && nextCursor.current === undefined) setCursor(at);
    },
    /** True when the key was meant for the list. */
    onKeyDown(event: KeyboardEvent): boolean {
      if (event.key === " " && event.ctrlKey) {
        event.preventDefault();
        setCursor(area.current?.selectionStart ?? 0);
        setPicked(0);
        setWanted(true);
        return true;
      }
      if (!open) return false;
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      const proposal = proposals[active];
      if (step !== undefined) {
        const next = active + step;
        const last = proposals.length - 1;
        setPicked(
          Math.abs(step) === 1 ? (next + proposals.length) % proposals.length : Math.max(0, Math.min(last, next)),
        );
      } else if (event.key === "Escape") close();
      // Who has typed all of it wants to run it.
      else if (
        event.key === "Tab" ||
        (event.key === "Enter" && !event.shiftKey && proposal?.text !== completion?.typed)
      ) {
        take(proposal);
      } else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

export type Proposing = ReturnType<typeof useProposals>;
