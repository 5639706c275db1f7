import { RotateCw } from "lucide-react";
import { StateMark } from "./badge.tsx";
import { Button } from "./button.tsx";
import { cx } from "./class-names.ts";
import { TextWithCode } from "./code.tsx";
import { readFault, sentence } from "./fault.ts";

interface ErrorStateProps {
  /** The Fault, or whatever was thrown. */
  readonly thrown: unknown;
  retry?(): void;
  /** Inside of a form or dialog. */
  readonly small?: boolean;
  /** Instead of what kind of bad news it is; "" where that is said above. */
  readonly title?: string | undefined;
}

/** What happened and what to do next, and a way to try it again. */
export function ErrorState({ thrown, retry, small = false, title }: ErrorStateProps) {
  const fault = readFault(thrown);
  return (
    <div
      role="alert"
      className={cx("flex gap-3 rounded-base bg-bad-wash text-ink", small ? "px-3 py-2" : "mx-auto my-4 max-w-xl p-4")}
    >
      <StateMark look={{ tone: "bad" }} className="mt-0.5" />
      <div className="min-w-0 flex-1">
        {title !== "" && <p className="font-semibold">{title ?? fault.title}</p>}
        <p className="[overflow-wrap:anywhere] text-soft">
          <TextWithCode text={sentence(fault.message)} />
        </p>
        {fault.hint !== undefined && (
          <p className="mt-1 [overflow-wrap:anywhere]">
            <TextWithCode text={fault.hint} />
          </p>
        )}
        {retry && (
          <Button size="small" icon={RotateCw} className="mt-3" onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
