import { ArrowDown } from "lucide-react";
import { memo, type PointerEvent, useLayoutEffect, useRef } from "react";
import { Button } from "../view/button.tsx";
import { cx } from "../view/class-names.ts";
import { instanceText } from "../view/event.ts";
import { isFull, markHits, type OutputBlock, type OutputLine } from "./services-output.ts";

interface OutputViewProps {
  readonly label: string;
  readonly blocks: readonly OutputBlock[];
  /** In the order they appeared, which gives them their colours. */
  readonly instances: readonly string[];
  readonly sought: string;
  readonly wrap: boolean;
  readonly follow: boolean;
  onFollow(follow: boolean): void;
  readonly empty: string;
}

/** So near to the end counts as at the end. */
const nearPx = 24;
/** It scrolls, so it can be reached by keyboard. */
const reachable = { tabIndex: 0 };

/** The lines, following their end unless the reader scrolls up. Blocks out of sight are not laid out. */
export function OutputView(props: OutputViewProps) {
  const { label, blocks, instances, sought, wrap, follow, onFollow, empty } = props;
  const frame = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const hand = useHand();

  // After every drawing, whatever it changed: setting it where it is already costs nothing.
  useLayoutEffect(() => {
    if (follow && frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  });

  const onScroll = () => {
    const box = frame.current;
    if (!box) return;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearPx;
    const up = box.scrollTop < lastTop.current;
    // Lines that come, go or get their true height move it too: only the reader's own hand means something.
    if (atEnd && !follow && hand.isOn()) onFollow(true);
    else if (!atEnd && follow && up && hand.isOn()) onFollow(false);
    else if (!atEnd && follow) box.scrollTop = box.scrollHeight;
    lastTop.current = box.scrollTop;
  };
  return (
    <div className="relative">
      <div
        ref={frame}
        {...reachable}
        role="log"
        aria-label={label}
        aria-live="off"
        onScroll={onScroll}
        {...hand.handlers}
        className={cx(
          "h-[clamp(16rem,55dvh,48rem)] overflow-auto overscroll-contain bg-sunken py-2 font-mono text-small outline-offset-[-2px]",
          wrap ? "whitespace-pre-wrap [overflow-wrap:anywhere]" : "whitespace-pre",
        )}
      >
        {blocks.length === 0 && <p className="whitespace-normal px-4 py-6 text-center font-sans text-soft">{empty}</p>}
        {blocks.map((block) => (
          <Block key={block.first} block={block} instances={instances} sought={sought} />
        ))}
      </div>
      {!follow && blocks.length > 0 && (
        <Button
          size="small"
          icon={ArrowDown}
          onClick={() => onFollow(true)}
          className="absolute right-4 bottom-4 shadow-raised"
        >
          Follow again
        </Button>
      )}
    </div>
  );
}

/** A scroll so soon after a wheel, a finger or a key is the reader's. */
const handMs = 600;

/** Whether the reader is scrolling just now. */
function useHand() {
  const lastMs = useRef(Number.NEGATIVE_INFINITY);
  const dragging = useRef(false);
  const touch = () => {
    lastMs.current = performance.now();
  };
  const handlers = {
    onWheel: touch,
    onTouchMove: touch,
    onKeyDown: touch,
    onPointerDown() {
      dragging.current = true;
    },
    onPointerMove({ buttons }: PointerEvent) {
      if (dragging.current && buttons === 0) dragging.current = false;
    },
    onPointerUp() {
      dragging.current = false;
      touch();
    },
  };
  return { handlers, isOn: () => dragging.current || performance.now() - lastMs.current < handMs };
}

interface BlockProps {
  readonly block: OutputBlock;
  readonly instances: readonly string[];
  readonly sought: string;
}

const Block = memo(
  ({ block, instances, sought }: BlockProps) => (
    <div className={cx(isFull(block) && "[contain-intrinsic-size:auto_112rem] [content-visibility:auto]")}>
      {block.lines.map((line) => (
        <Line key={line.number} line={line} instances={instances} sought={sought} />
      ))}
    </div>
  ),
  (before, after) =>
    before.block === after.block &&
    before.sought === after.sought &&
    before.instances.join() === after.instances.join(),
);

const labels = [
  "text-label-1",
  "text-label-2",
  "text-label-3",
  "text-label-4",
  "text-label-5",
  "text-label-6",
] as const;

function Line({
  line,
  instances,
  sought,
}: {
  readonly line: OutputLine;
  readonly instances: readonly string[];
  readonly sought: string;
}) {
  const place = instances.indexOf(line.instance);
  return (
    <div className="flex gap-3 px-4 hover:bg-hover">
      {instances.length > 1 && (
        <span className={cx("w-[5ch] shrink-0 select-none", labels[Math.max(0, place) % labels.length])}>
          {instanceText(line.instance)}
        </span>
      )}
      <span className="min-w-0 flex-1">
        {line.text === "" ? "\u200b" : <Marked text={line.text} sought={sought} />}
      </span>
    </div>
  );
}

function Marked({ text, sought }: { readonly text: string; readonly sought: string }) {
  const parts = markHits(text, sought);
  if (parts.length === 1) return text;
  let at = 0;
  return parts.map((part, index) => {
    at += part.length;
    return index % 2 === 1 ? (
      <mark key={at} className="rounded-small bg-warn-wash text-warn outline outline-warn">
        {part}
      </mark>
    ) : (
      part
    );
  });
}
