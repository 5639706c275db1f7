import { useLayoutEffect, useRef } from "react";
import { plainLine } from "../view/ansi.ts";

/** So near to the end counts as at the end. */
const nearPx = 24;
/** It scrolls, so it can be reached by keyboard. */
const reachable = { tabIndex: 0 };

/** A few hundred lines at most, which go on at their end while the reader is there. */
export function Lines({ label, lines }: { readonly label: string; readonly lines: readonly string[] }) {
  const frame = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current && frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  });
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 text-small text-soft">{label}</figcaption>
      <pre
        ref={frame}
        {...reachable}
        role="log"
        aria-label={label}
        aria-live="off"
        onScroll={({ currentTarget: box }) => {
          atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < nearPx;
        }}
        className="max-h-[min(24rem,45dvh)] overflow-auto overscroll-contain whitespace-pre-wrap rounded-base bg-sunken p-3 font-mono text-small outline-offset-[-2px] [overflow-wrap:anywhere]"
      >
        {lines.map(plainLine).join("\n")}
      </pre>
    </figure>
  );
}
