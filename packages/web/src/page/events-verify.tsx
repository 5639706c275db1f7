import { api } from "@fed/fed/wire/api.ts";
import type { Verdict } from "@fed/fed/wire/event.ts";
import { useMutation } from "@tanstack/react-query";
import { ShieldCheck, X } from "lucide-react";
import { client } from "../hub.ts";
import { StateMark } from "../view/badge.tsx";
import { Button, IconButton } from "../view/button.tsx";
import { cx } from "../view/class-names.ts";
import { CopyButton } from "../view/copy.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { countText } from "../view/format.ts";
import { toneBadge } from "../view/tone.ts";

/** Proves on request that nobody has changed the log. */
export function useVerify() {
  const check = useMutation({ mutationFn: () => client.call(api.verifyEvents, {}) });
  return {
    button: (
      <Button icon={ShieldCheck} busy={check.isPending} onClick={() => check.mutate()}>
        Verify the log
      </Button>
    ),
    verdict: (
      <div aria-live="polite" className="empty:hidden">
        {check.error && <ErrorState thrown={check.error} retry={() => check.mutate()} small />}
        {check.data && <VerdictNote verdict={check.data} close={check.reset} />}
      </div>
    ),
  };
}

function VerdictNote({ verdict, close }: { readonly verdict: Verdict; close(): void }) {
  const tone = verdict.kind === "sound" ? "good" : "bad";
  return (
    <div className={cx("mb-4 flex items-start gap-3 rounded-large py-2 pr-2 pl-4", toneBadge[tone])}>
      <StateMark look={{ tone }} className="mt-2" />
      <div className="min-w-0 flex-1 py-1.5 text-ink">
        {verdict.kind === "sound" ? <Sound {...verdict} /> : <Broken {...verdict} />}
      </div>
      <IconButton label="Close the verdict" icon={X} onClick={close} />
    </div>
  );
}

function Sound({ events, first, last, base, head }: Extract<Verdict, { kind: "sound" }>) {
  const noted = `${last}:${head}`;
  if (events === 0) return <p className="font-semibold">The log is empty, so there is nothing to prove.</p>;
  return (
    <>
      <p className="font-semibold">The log is sound: none of these events was changed, removed or put in.</p>
      <p className="text-soft">
        {countText(events, "event")}, from number {first} to {last}
        {base === "" ? "" : "; those before were dropped by retention"}. That the end was cut off while the hub was
        down, or that all was written anew, only an earlier head shows: keep this one somewhere else, and{" "}
        <code className="font-mono text-small">fed events verify --head</code> proves later that it is still there.
      </p>
      <p className="flex items-center gap-1">
        <code className="font-mono text-small [overflow-wrap:anywhere]">{noted}</code>
        <CopyButton text={noted} label="Copy the head" />
      </p>
    </>
  );
}

function Broken({ sequence, reason }: Exclude<Verdict, { kind: "sound" }>) {
  return (
    <>
      <p className="font-semibold">The log was tampered with, or its file is damaged.</p>
      <p>
        Event {sequence}: {reason}
      </p>
      <p className="text-soft">
        Trust nothing from there on. Keep a copy of the data folder, and compare it with your last backup.
      </p>
    </>
  );
}
