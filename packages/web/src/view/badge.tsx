import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleDot,
  LoaderCircle,
  type LucideIcon,
  TriangleAlert,
} from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./class-names.ts";
import { type Look, type Tone, toneBadge, toneText } from "./tone.ts";

/** Each tone has a mark of its own shape, for whoever does not see its colour. */
const marks: Readonly<Record<Tone, LucideIcon>> = {
  good: CircleCheck,
  info: CircleDot,
  warn: TriangleAlert,
  bad: CircleAlert,
  idle: CircleDashed,
};

/** The mark of a state, without its word: put the word beside it. */
export function StateMark({
  look,
  className,
}: {
  readonly look: Pick<Look, "tone" | "moving">;
  readonly className?: string;
}) {
  const Mark = look.moving ? LoaderCircle : marks[look.tone];
  return (
    <Mark
      aria-hidden
      className={cx(
        "size-4 shrink-0",
        toneText[look.tone],
        look.moving && "animate-spin [animation-duration:2.4s]",
        className,
      )}
    />
  );
}

/** A state as mark and word. */
export function StateDot({ look, className }: { readonly look: Look; readonly className?: string }) {
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap align-middle", className)}>
      <StateMark look={look} />
      <span className={toneText[look.tone]}>{look.word}</span>
    </span>
  );
}

/** A state as a badge: mark and word on a quiet ground. */
export function StateBadge({ look }: { readonly look: Look }) {
  return (
    <Badge tone={look.tone}>
      <StateMark look={look} className="size-3.5" />
      {look.word}
    </Badge>
  );
}

export function Badge({
  tone = "idle",
  children,
  className,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <span
      className={cx(
        "inline-flex items-center gap-1 whitespace-nowrap rounded-base align-middle px-1.5 py-0.5 font-medium text-small",
        toneBadge[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
