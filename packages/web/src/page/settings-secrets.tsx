import { api } from "@fed/fed/wire/api.ts";
import type { WireSecret, WireSecretUse } from "@fed/fed/wire/secret.ts";
import { useQuery } from "@tanstack/react-query";
import { LockKeyhole, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { client, queries, secretsQuery } from "../hub.ts";
import { useObstacle } from "../live.ts";
import { Badge, StateMark } from "../view/badge.tsx";
import { Button, IconButton } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { InlineCode } from "../view/code.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { actorText } from "../view/event.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { toast } from "../view/toast-store.ts";
import { type SecretPlace, SetSecret } from "./settings-secret-set.tsx";

/** The lab's secrets by name and version; a value goes in and never comes out. */
export function SecretSettings() {
  const { data, error, refetch } = useQuery(secretsQuery);
  const obstacle = useObstacle("admin");
  const [setting, setSetting] = useState<Partial<SecretPlace>>();
  const [removing, setRemoving] = useState<WireSecret>();
  return (
    <Card
      flush
      title="Secrets"
      about="Values that services are given. A new one counts from the next release on; none is ever shown."
      actions={
        <Button kind="primary" icon={Plus} reason={obstacle} onClick={() => setSetting({})}>
          Set a value
        </Button>
      }
    >
      {error && !data && <ErrorState thrown={error} retry={() => void refetch()} />}
      {!data && !error && <SkeletonRows label="Loading secrets" />}
      {data && <Missing missing={data.missing} obstacle={obstacle} set={setSetting} />}
      {data?.secrets.length === 0 && data.missing.length === 0 && (
        <EmptyState icon={LockKeyhole} title="There are no secrets">
          <p>
            Name one in the lab’s <InlineCode>secrets</InlineCode>, give it to a service with{" "}
            <InlineCode>{'env: { TOKEN: { secret: "TOKEN" } }'}</InlineCode>, and set its value here.
          </p>
        </EmptyState>
      )}
      {data && data.secrets.length > 0 && (
        <Table label="Secrets">
          <thead>
            <tr>
              <HeadCell>Name</HeadCell>
              <HeadCell>Environment</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Version</HeadCell>
              <HeadCell className="max-sm:hidden">Set</HeadCell>
              <HeadCell className="text-right">
                <span className="sr-only">Deeds</span>
              </HeadCell>
            </tr>
          </thead>
          <tbody>
            {data.secrets.map((secret) => (
              <SecretRow
                key={`${secret.environment ?? ""}/${secret.name}`}
                {...{ secret, obstacle }}
                set={() => setSetting(secret)}
                remove={() => setRemoving(secret)}
              />
            ))}
          </tbody>
        </Table>
      )}
      {setting && <SetSecret place={setting} onClose={() => setSetting(undefined)} />}
      <RemoveSecret secret={removing} onClose={() => setRemoving(undefined)} />
    </Card>
  );
}

interface MissingProps {
  readonly missing: readonly WireSecretUse[];
  readonly obstacle: string | undefined;
  set(place: SecretPlace): void;
}

/** Secrets that the lab names and that have no value where one is needed. */
function Missing({ missing, obstacle, set }: MissingProps) {
  if (missing.length === 0) return null;
  return (
    <ul aria-label="Values that are missing" className="divide-y divide-line border-line border-b">
      {missing.map(({ name, environment, by }) => (
        <li
          key={`${environment ?? ""}/${name} ${by}`}
          className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2"
        >
          <StateMark look={{ tone: "warn" }} />
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
            <span className="font-medium">{name}</span> has no value, and {by} needs it
          </span>
          <Button size="small" reason={obstacle} onClick={() => set({ name, environment })} aria-label={`Set ${name}`}>
            Set it
          </Button>
        </li>
      ))}
    </ul>
  );
}

interface SecretRowProps {
  readonly secret: WireSecret;
  readonly obstacle: string | undefined;
  set(): void;
  remove(): void;
}

function SecretRow({ secret, obstacle, set, remove }: SecretRowProps) {
  const { name, environment, version, setMs, setBy, lost } = secret;
  const file = version === 0;
  return (
    <Row>
      <Cell>
        <span className="font-medium [overflow-wrap:anywhere]">{name}</span>{" "}
        {lost && <Badge tone="bad">cannot be opened</Badge>}
        <span className="block text-small text-soft sm:hidden">{file ? "a file" : `version ${version}`}</span>
      </Cell>
      <Cell className="[overflow-wrap:anywhere]">{environment ?? <span className="text-soft">all</span>}</Cell>
      <Cell className="text-right max-sm:hidden">{file ? <span className="text-soft">a file</span> : version}</Cell>
      <Cell className="text-soft max-sm:hidden">
        {setMs !== undefined && <Time atMs={setMs} />}
        {setBy !== undefined && <span className="block text-small">by {actorText(setBy)}</span>}
      </Cell>
      <Cell>
        <span className="flex items-center justify-end gap-1">
          <Button size="small" reason={obstacle} onClick={set} aria-label={`Set a new value of ${name}`}>
            Set
          </Button>
          <IconButton label={`Remove ${name}`} icon={Trash2} reason={obstacle} onClick={remove} />
        </span>
      </Cell>
    </Row>
  );
}

function RemoveSecret({ secret, onClose }: { readonly secret: WireSecret | undefined; onClose(): void }) {
  const name = secret?.name ?? "";
  const environment = secret?.environment;
  return (
    <ConfirmDialog
      open={secret !== undefined}
      onOpenChange={onClose}
      title={`Remove the value of ${name}?`}
      action="Remove"
      danger
      onConfirm={async () => {
        await client.call(api.removeSecret, { name, ...(environment === undefined ? {} : { environment }) });
        await queries.invalidateQueries({ queryKey: secretsQuery.queryKey });
        toast({ tone: "good", title: `The value of ${name} was removed` });
      }}
    >
      <p>
        Nothing new gets it{environment === undefined ? "" : ` in ${environment}`}. Releases that are kept still do.
      </p>
    </ConfirmDialog>
  );
}
