import { api } from "@fed/fed/wire/api.ts";
import type { WireToken } from "@fed/fed/wire/user.ts";
import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { client, queries, tokensQuery, useMe } from "../hub.ts";
import { StateDot } from "../view/badge.tsx";
import { Button, IconButton } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfToken } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { toast } from "../view/toast-store.ts";
import { CreateToken } from "./settings-token-create.tsx";

/** What programs sign in with: one's own, and everybody's for an admin. */
export function TokenSettings() {
  const me = useMe();
  const { data: tokens, error, refetch } = useQuery(tokensQuery);
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<WireToken>();
  const all = me?.role === "admin";
  return (
    <Card
      flush
      title="API tokens"
      about={all ? "For programs that call the hub. You see everybody’s." : "For programs that call the hub for you."}
      actions={
        <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
          New token
        </Button>
      }
    >
      {error && !tokens && <ErrorState thrown={error} retry={refetch} />}
      {!tokens && !error && <SkeletonRows label="Loading tokens" />}
      {tokens?.length === 0 && (
        <EmptyState icon={KeyRound} title="There are no API tokens">
          <p>Make one for a script or another program; it is shown once, and you can revoke it at any time.</p>
        </EmptyState>
      )}
      {tokens && tokens.length > 0 && (
        <Table label="API tokens">
          <thead>
            <tr>
              <HeadCell>Name</HeadCell>
              <HeadCell>State</HeadCell>
              <HeadCell className="max-sm:hidden">Role</HeadCell>
              {all && <HeadCell className="max-md:hidden">Of</HeadCell>}
              <HeadCell className="max-md:hidden">Last used</HeadCell>
              <HeadCell className="max-sm:hidden">Expires</HeadCell>
              <HeadCell className="w-12">
                <span className="sr-only">Deeds</span>
              </HeadCell>
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <TokenRow key={token.id} token={token} all={all} revoke={() => setRevoking(token)} />
            ))}
          </tbody>
        </Table>
      )}
      <CreateToken open={creating} onOpenChange={setCreating} />
      <ConfirmDialog
        open={revoking !== undefined}
        onOpenChange={() => setRevoking(undefined)}
        title={`Revoke ${revoking?.name ?? ""}?`}
        action="Revoke"
        danger
        onConfirm={async () => {
          if (!revoking) return;
          await client.call(api.revokeToken, { id: revoking.id });
          await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
          toast({ tone: "good", title: `${revoking.name} was revoked` });
        }}
      >
        <p>Programs that use it are refused from now on. It cannot be taken back; a new token can be made.</p>
      </ConfirmDialog>
    </Card>
  );
}

function TokenRow({ token, all, revoke }: { readonly token: WireToken; readonly all: boolean; revoke(): void }) {
  const { name, prefix, role, user, state, usedMs, expiresMs } = token;
  return (
    <Row>
      <Cell>
        <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
        <span className="block font-mono text-small text-soft">{prefix}…</span>
      </Cell>
      <Cell>
        <StateDot look={lookOfToken(state)} />
      </Cell>
      <Cell className="max-sm:hidden">{role}</Cell>
      {all && <Cell className="max-md:hidden">{user ?? <span className="text-soft">the hub’s machine</span>}</Cell>}
      <Cell className="max-md:hidden">
        {usedMs === undefined ? <span className="text-soft">never</span> : <Time atMs={usedMs} />}
      </Cell>
      <Cell className="max-sm:hidden">
        {expiresMs === undefined ? <span className="text-soft">never</span> : <Time atMs={expiresMs} />}
      </Cell>
      <Cell>{state === "active" && <IconButton label={`Revoke ${name}`} icon={Trash2} onClick={revoke} />}</Cell>
    </Row>
  );
}
