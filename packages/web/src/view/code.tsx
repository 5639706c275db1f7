import { cx } from "./class-names.ts";
import { CopyButton } from "./copy.tsx";

interface CodeProps {
  readonly text: string;
  /** What it is, read out and on the button that copies it. */
  readonly label: string;
  readonly className?: string;
}

/** A few lines to read or to copy. Long ones wrap, so that nothing has to be scrolled to. */
export function Code({ text, label, className }: CodeProps) {
  return (
    <div className={cx("relative w-full min-w-0 rounded-base border border-line bg-sunken text-left", className)}>
      <pre className="whitespace-pre-wrap p-3 pr-12 font-mono text-ink text-small [overflow-wrap:anywhere]">{text}</pre>
      <div className="absolute top-1 right-1">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}

/** A name or command within a sentence. */
export function InlineCode({ children }: { readonly children: string }) {
  return <code className="rounded-small bg-sunken px-1 py-0.5 font-mono text-ink text-small">{children}</code>;
}

/** A text of the hub, in which what stands between backticks is code. */
export function TextWithCode({ text }: { readonly text: string }) {
  const parts = text.split("`");
  // An odd one out is no pair.
  if (parts.length % 2 === 0) return text;
  let end = 0;
  return parts.map((part, index) => {
    end += part.length + 1;
    return index % 2 === 1 ? <InlineCode key={end}>{part}</InlineCode> : part;
  });
}
