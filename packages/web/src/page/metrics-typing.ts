import { complete } from "@fed/fed/engine/promql/complete.ts";
import { type KeyboardEvent, type RefObject, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useKnownNames } from "./metrics-names.ts";
import { choose, type Proposal, propose } from "./metrics-propose.ts";

/** What opens the list by itself: the beginning of a name, or of a place where only names stand. */
const opens = /[A-Za-z0-9_:.]$|[({["',]$|[=~]$/;

/** The list of what can be written where the cursor is: when it is open, what is chosen, and its keys. */
export function useProposals(text: string, area: RefObject<HTMLTextAreaElement | null>) {
  const [cursor, setCursor] = useState(0);
  const [wanted, setWanted] = useState(false);
  const [picked, setPicked] = useState(0);
  const listId = useId();
  const completion = useMemo(() => (wanted ? complete(text, cursor) : undefined), [wanted, text, cursor]);
  const known = useKnownNames(completion);
  const proposals = completion ? propose(completion, known, text.slice(cursor)) : [];
  const open = wanted && proposals.length > 0;
  const active = Math.min(picked, proposals.length - 1);
  const caret = useCaret(area);
  const close = () => setWanted(false);
  const take = (proposal: Proposal | undefined) => {
    if (proposal === undefined || completion === undefined || area.current === null) return;
    const chosen = choose(text, completion, proposal);
    area.current.focus();
    area.current.setSelectionRange(completion.start, completion.end);
    // The browser's own way of typing: it can be undone with Ctrl-Z.
    if (document.execCommand("insertText", false, proposal.insert)) caret.goTo(chosen.cursor);
    setPicked(0);
    setWanted(/[({]$/.test(proposal.insert));
  };
  return {
    ...{ open, proposals, active, listId, close, take, completion },
    /** What is said of the list at the box. */
    aria: {
      "aria-autocomplete": "list",
      "aria-haspopup": "listbox",
      "aria-controls": open ? listId : undefined,
      "aria-activedescendant": open && active >= 0 ? `${listId}-${active}` : undefined,
    } as const,
    onInput({ value, selectionStart }: HTMLTextAreaElement) {
      setCursor(selectionStart);
      setPicked(0);
      setWanted(opens.test(value.slice(0, selectionStart)));
    },
    onMove(at: number) {
      if (at !== cursor && !caret.isMoving()) setCursor(at);
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
      const proposal = proposals[active];
      const next = stepTo(event.key, active, proposals.length);
      if (next !== undefined) setPicked(next);
      else if (event.key === "Escape") close();
      // Who has typed all of it wants to run it.
      else if (event.key === "Tab" || (isEnter(event) && proposal?.text !== completion?.typed)) take(proposal);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

const isEnter = ({ key, shiftKey }: KeyboardEvent) => key === "Enter" && !shiftKey;

/** Puts the caret where it belongs once the box has its new text. */
function useCaret(area: RefObject<HTMLTextAreaElement | null>) {
  const next = useRef<number>(undefined);
  useLayoutEffect(() => {
    const at = next.current;
    if (at === undefined || area.current === null) return;
    next.current = undefined;
    area.current.setSelectionRange(at, at);
  });
  return {
    goTo(at: number) {
      next.current = at;
    },
    isMoving: () => next.current !== undefined,
  };
}

/** Where a key leads in the list; round its ends by single steps. */
function stepTo(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return (from + 1) % count;
    case "ArrowUp":
      return (from - 1 + count) % count;
    case "PageDown":
      return Math.min(count - 1, from + 8);
    case "PageUp":
      return Math.max(0, from - 8);
    default:
      return undefined;
  }
}

export type Proposing = ReturnType<typeof useProposals>;
