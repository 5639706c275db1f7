import { api } from "@fed/fed/wire/api.ts";
import type { WireFieldChange, WireReleaseDiff } from "@fed/fed/wire/release.ts";
import { queryOptions } from "@tanstack/react-query";
import { client, releasesQuery } from "../hub.ts";
import { cx } from "../view/class-names.ts";
import { plainText } from "../view/format.ts";

interface Place {
  readonly environment: string;
  readonly service: string;
}

/** What changes from one release to another. Below the key of the service's releases: it goes with them. */
export const diffQuery = ({ environment, service }: Place, from: number, to: number) =>
  queryOptions({
    queryKey: [...releasesQuery(environment, service).queryKey, "diff", from, to],
    queryFn: ({ signal }) => client.call(api.releaseDiff, { environment, service, number: to, from }, signal),
  });

/** The fields in which two releases differ, each before and after. */
export function Changes({ diff: { changes, from, to } }: { readonly diff: WireReleaseDiff }) {
  if (changes.length === 0) {
    return (
      <p className="text-soft">
        Release {from.number} and release {to.number} say the same.
      </p>
    );
  }
  return (
    <ul
      aria-label={`What changes from release ${from.number} to release ${to.number}`}
      className="overflow-hidden rounded-base border border-line"
    >
      {changes.map((change) => (
        <Change key={change.field} change={change} />
      ))}
    </ul>
  );
}

function Change({ change: { field, from, to } }: { readonly change: WireFieldChange }) {
  return (
    <li className="grid gap-x-4 gap-y-1 border-line border-b px-3 py-2 last:border-b-0 sm:grid-cols-[12rem_minmax(0,1fr)]">
      <span className="font-mono text-small [overflow-wrap:anywhere]">
        {plainText(field)}
        {field === "restart" && <span className="block font-sans text-soft">new instances of the same</span>}
      </span>
      <span className="flex min-w-0 flex-col gap-1">
        <Side mark="−" word="was" text={from} className="bg-bad-wash" />
        <Side mark="+" word="is" text={to} className="bg-good-wash" />
      </span>
    </li>
  );
}

interface SideProps {
  readonly mark: string;
  /** The mark, for who listens. */
  readonly word: string;
  readonly text: string | undefined;
  readonly className: string;
}

function Side({ mark, word, text, className }: SideProps) {
  if (text === undefined) return null;
  return (
    <span className={cx("flex gap-2 rounded-small px-2 py-0.5 font-mono text-ink text-small", className)}>
      <span aria-hidden className="select-none">
        {mark}
      </span>
      <span className="sr-only">{word}</span>
      <span className="min-w-0 whitespace-pre-wrap [overflow-wrap:anywhere]">
        {text === "" ? <i className="text-soft">empty</i> : plainText(text)}
      </span>
    </span>
  );
}
