import { api } from "@fed/fed/wire/api.ts";
import type { WireHostKey, WireMachine } from "@fed/fed/wire/machine.ts";
import { KeyRound } from "lucide-react";
import { type ReactNode, useState } from "react";
import { client, queries, useBarrier } from "../hub.ts";
import { StateMark } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { cx } from "../view/class-names.ts";
import { TextWithCode } from "../view/code.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { sentence } from "../view/fault.ts";
import { momentText, plainText } from "../view/format.ts";
import { Time } from "../view/time.tsx";
import type { Tone } from "../view/tone.ts";
import { toneBadge } from "../view/tone.ts";
import { refreshMachine } from "./machine-query.ts";

/** What somebody has to know of a machine before anything else, and what to do about it. */
export function MachineNotices({ machine }: { readonly machine: WireMachine }) {
  const { name, hostKey, maintenance, problems } = machine;
  if (!hostKey && !maintenance && problems.length === 0) return null;
  return (
    <div className="mb-4 flex flex-col gap-2">
      {hostKey && <KeyNotice name={name} hostKey={hostKey} />}
      {maintenance && (
        <Notice tone="info" title="Maintenance">
          Since <Time atMs={maintenance.sinceMs} />
          {maintenance.untilMs === undefined
            ? ", until somebody ends it"
            : `, until ${momentText(maintenance.untilMs)}`}
          {maintenance.reason === "" ? "." : `: ${plainText(sentence(maintenance.reason))}`}
        </Notice>
      )}
      {problems.length > 0 && (
        <Notice tone="warn" title={problems.length === 1 ? "Something cannot be told" : "Some things cannot be told"}>
          <ul className="flex flex-col gap-1">
            {problems.map(({ collector, reason, sinceMs }) => (
              <li key={collector} className="[overflow-wrap:anywhere]">
                <span className="font-medium text-ink">{collector}</span>: <TextWithCode text={plainText(reason)} />,{" "}
                <Time atMs={sinceMs} />
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}

interface NoticeProps {
  readonly tone: Tone;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

function Notice({ tone, title, children, action }: NoticeProps) {
  return (
    <section
      aria-label={title}
      className={cx(toneBadge[tone], "flex flex-wrap items-start gap-x-3 gap-y-2 rounded-base px-4 py-3 text-ink!")}
    >
      <StateMark look={{ tone }} className="mt-0.5" />
      <div className="min-w-[min(16rem,80%)] flex-1">
        <p className="font-semibold">{title}</p>
        <div className="text-soft [overflow-wrap:anywhere]">{children}</div>
      </div>
      {action}
    </section>
  );
}

interface KeyNoticeProps {
  readonly name: string;
  readonly hostKey: NonNullable<WireMachine["hostKey"]>;
}

function KeyNotice({ name, hostKey }: KeyNoticeProps) {
  const { known, offered, sinceMs } = hostKey;
  const [asking, setAsking] = useState(false);
  const barrier = useBarrier("operator");
  const trust = async () => {
    await client.call(api.trustMachine, { name, fingerprint: offered.fingerprint });
    await refreshMachine(queries, name);
  };
  return (
    <Notice
      tone="bad"
      title="It shows another host key than the one it was known by"
      action={
        <Button icon={KeyRound} reason={barrier} onClick={() => setAsking(true)}>
          Compare and accept
        </Button>
      }
    >
      Either it was set up anew, or something else answers in its place. Nobody logs in to it until the new key is
      accepted; first seen <Time atMs={sinceMs} />.
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Accept the new host key of ${name}?`}
        action="Accept the new key"
        danger
        onConfirm={trust}
      >
        <p>
          Compare with what <code className="font-mono text-ink">ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub</code> says
          on the machine itself. If you did not set it up anew, do not accept.
        </p>
        <Keys word="It shows now" keys={[offered]} />
        <Keys word="It was known by" keys={known} />
      </ConfirmDialog>
    </Notice>
  );
}

function Keys({ word, keys }: { readonly word: string; readonly keys: readonly WireHostKey[] }) {
  return (
    <div className="mt-3">
      <p className="text-small">{word}</p>
      <ul>
        {keys.map(({ type, fingerprint }) => (
          <li key={`${type} ${fingerprint}`} className="font-mono text-ink text-small [overflow-wrap:anywhere]">
            {type} {fingerprint}
          </li>
        ))}
      </ul>
    </div>
  );
}
