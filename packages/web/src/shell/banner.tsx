import type { WireDiagnostic } from "@fed/fed/wire/diagnostic.ts";
import type { HubStatus } from "@fed/fed/wire/status.ts";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { statusQuery } from "../hub.ts";
import { useConnection } from "../live.ts";
import { StateMark } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { cx } from "../view/class-names.ts";
import { InlineCode, TextWithCode } from "../view/code.tsx";
import { countText } from "../view/format.ts";
import { Time } from "../view/time.tsx";
import type { Tone } from "../view/tone.ts";

/** What people must know on every page: a hub that is away, a database that is damaged, a disk that is full, an edit that was refused. */
export function Banners() {
  const { data: status } = useQuery(statusQuery);
  return (
    <div aria-live="polite">
      <HubAway />
      {status?.damaged && <Damaged damaged={status.damaged} />}
      {status?.vault && <VaultLocked vault={status.vault} />}
      {status?.diskFull && <DiskFull full={status.diskFull} />}
      {status?.rejected && <RejectedEdit rejected={status.rejected} file={status.lab.file} />}
    </div>
  );
}

function Banner({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <div
      className={cx("border-line border-b border-l-4 bg-surface", tone === "bad" ? "border-l-bad" : "border-l-warn")}
    >
      <div className="mx-auto flex w-full max-w-7xl gap-3 px-4 py-3 md:px-6">
        <StateMark look={{ tone }} className="mt-0.5" />
        <div className="min-w-0 flex-1">{children}</div>
      </div>
    </div>
  );
}

/** A connection that comes back sooner than this is told by the mark alone. */
const awayAfterMs = 3_000;

/** Says that what is shown may be old, once the connection has been lost for a while. */
function HubAway() {
  const connection = useConnection();
  const lost = connection === "reconnecting" || connection === "connecting";
  const [sinceMs, setSinceMs] = useState<number>();
  useEffect(() => {
    if (!lost) return;
    const lostMs = Date.now();
    const timer = setTimeout(() => setSinceMs(lostMs), awayAfterMs);
    return () => {
      clearTimeout(timer);
      setSinceMs(undefined);
    };
  }, [lost]);
  if (sinceMs === undefined) return null;
  return (
    <Banner tone="warn">
      <p className="font-semibold">The hub does not answer</p>
      <p className="text-soft">
        It was heard of last <Time atMs={sinceMs} />, so what you see may be old. It is tried again by itself; see
        whether <InlineCode>fed up</InlineCode> still runs, and whether this device is on the network.
      </p>
    </Banner>
  );
}

function DiskFull({ full }: { readonly full: NonNullable<HubStatus["diskFull"]> }) {
  return (
    <Banner tone="bad">
      <p className="font-semibold">The hub’s disk is full</p>
      <p className="[overflow-wrap:anywhere] text-soft">
        Seen <Time atMs={full.sinceMs} />: nothing can be written to {full.folder}, and{" "}
        {countText(full.refused, "change")} {full.refused === 1 ? "was" : "were"} refused. What runs goes on. Make room;
        the hub goes on by itself.
      </p>
    </Banner>
  );
}

function VaultLocked({ vault }: { readonly vault: NonNullable<HubStatus["vault"]> }) {
  return (
    <Banner tone="warn">
      <p className="font-semibold">The vault needs you</p>
      <p className="[overflow-wrap:anywhere] text-soft">
        Since <Time atMs={vault.sinceMs} />: {vault.message}. <TextWithCode text={vault.hint} />
      </p>
    </Banner>
  );
}

function Damaged({ damaged }: { readonly damaged: NonNullable<HubStatus["damaged"]> }) {
  return (
    <Banner tone="bad">
      <p className="font-semibold">The hub’s database is damaged</p>
      <p className="[overflow-wrap:anywhere] text-soft">
        Found <Time atMs={damaged.sinceMs} />: {damaged.message}. No change is taken any more.
      </p>
      <pre className="mt-2 whitespace-pre-wrap font-mono text-small text-soft [overflow-wrap:anywhere]">
        {damaged.hint}
      </pre>
    </Banner>
  );
}

const shownAtFirst = 3;

function RejectedEdit(props: { readonly rejected: NonNullable<HubStatus["rejected"]>; readonly file: string }) {
  const { diagnostics, atMs } = props.rejected;
  const [all, setAll] = useState(false);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const shown = all ? errors : errors.slice(0, shownAtFirst);
  return (
    <Banner tone="bad">
      <p className="font-semibold">
        The edit was refused: {countText(errors.length, "error")} in {fileName(props.file)}
      </p>
      <p className="text-soft">
        Read <Time atMs={atMs} />; the last good lab keeps running. Mend the file and save it; it is taken up at once.
      </p>
      <ul className="mt-2 flex flex-col gap-1.5">
        {shown.map((diagnostic) => (
          <li key={`${diagnostic.path} ${diagnostic.message} ${place(diagnostic)}`}>
            <p className="[overflow-wrap:anywhere]">
              <code className="mr-2 font-mono text-small text-soft">{place(diagnostic)}</code>
              <TextWithCode text={diagnostic.message} />
            </p>
            {diagnostic.hint !== undefined && (
              <p className="text-small text-soft">
                <TextWithCode text={diagnostic.hint} />
              </p>
            )}
          </li>
        ))}
      </ul>
      {errors.length > shown.length && (
        <Button size="small" kind="quiet" className="mt-1" onClick={() => setAll(true)}>
          Show {errors.length - shown.length} more
        </Button>
      )}
    </Banner>
  );
}

/** `lab.ts:12:5`, or where in the lab it is when no line is known. */
function place({ at, path }: WireDiagnostic): string {
  if (at === undefined) return path;
  return [fileName(at.file), at.line, at.column].filter((part) => part !== undefined).join(":");
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
