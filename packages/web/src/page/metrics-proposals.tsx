import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { cx } from "../view/class-names.ts";
import type { Proposal } from "./metrics-propose.ts";
import type { Proposing } from "./metrics-typing.ts";

const kindWords: Readonly<Record<Proposal["kind"], string>> = {
  metric: "metric",
  label: "label",
  value: "value",
  function: "function",
  aggregation: "aggregation",
  keyword: "keyword",
  operator: "operator",
  duration: "duration",
};

const widthPx = 448;

/** The list of what can be written, below the word that is being typed. */
export function Proposals(
  props: Pick<Proposing, "proposals" | "active" | "listId" | "take" | "completion"> & {
    readonly under: RefObject<HTMLElement | null>;
  },
) {
  const { proposals, active, listId, take, completion, under } = props;
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  const start = completion?.start ?? 0;
  useLayoutEffect(() => {
    if (under.current) setPlace(placeOf(under.current, start));
  }, [start, under]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });
  const chosen = proposals[active];
  return (
    <div
      style={{ left: place.left, top: place.top, width: `min(${widthPx}px, 100%)` }}
      className="absolute z-40 animate-appear overflow-hidden rounded-large border border-line bg-raised shadow-raised"
    >
      <div ref={list} id={listId} role="listbox" aria-label="Proposals" className="max-h-64 overflow-y-auto p-1">
        {proposals.map((one, index) => (
          <div
            key={`${one.kind} ${one.text}`}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // The box keeps the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              take(one);
            }}
            className={cx(
              "flex cursor-pointer items-baseline gap-3 rounded-base px-2 py-1",
              index === active ? "bg-accent-wash" : "hover:bg-hover",
            )}
          >
            <span className="min-w-0 flex-1 truncate font-mono text-small" title={one.text}>
              {one.text}
            </span>
            <span className="shrink-0 text-soft text-tiny">{kindWords[one.kind]}</span>
          </div>
        ))}
      </div>
      {chosen !== undefined && chosen.about !== "" && (
        <p className="border-line border-t px-3 py-1.5 text-small text-soft [overflow-wrap:anywhere]">{chosen.about}</p>
      )}
    </div>
  );
}

/** Below the letter at this index of the text of `element`, inside of its frame. */
function placeOf(element: HTMLElement, index: number): { left: number; top: number } {
  const frame = element.getBoundingClientRect();
  const range = document.createRange();
  let rest = index;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    range.setStart(node, Math.min(rest, length));
    if (rest <= length) break;
    rest -= length;
  }
  const letter = range.getBoundingClientRect();
  const left = letter.left === 0 && letter.width === 0 ? 12 : letter.left - frame.left;
  return { left: Math.max(0, Math.min(left - 8, frame.width - widthPx)), top: letter.bottom - frame.top + 12 };
}
