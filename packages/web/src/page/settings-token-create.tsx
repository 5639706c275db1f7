import { api } from "@fed/fed/wire/api.ts";
import { mayDo, type Role, roles } from "@fed/fed/wire/role.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, queries, tokensQuery, useMe } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input, Select } from "../view/field.tsx";
import { RoleField } from "./settings-role-field.tsx";
import { Secret } from "./settings-secret.tsx";

const lifetimes = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "1 year"],
  ["", "Never"],
] as const;

/** Asks for a name, a role and an end; then shows the secret, this once. */
export function CreateToken({ open, onOpenChange }: { readonly open: boolean; onOpenChange(open: boolean): void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="New API token">
      <Steps close={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Steps({ close }: { close(): void }) {
  const me = useMe();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const create = useMutation({
    mutationFn: () =>
      client.call(api.createToken, {
        name: name.trim(),
        role,
        ...(days === "" ? {} : { expiresInDays: Number(days) }),
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  if (create.data) {
    return (
      <Secret label="the token" text={create.data.secret} close={close}>
        <p>
          <span className="font-medium text-ink">{create.data.token.name}</span> was made. Copy it now: it is not shown
          again. Send it as <code className="font-mono text-small">authorization: Bearer …</code>
        </p>
      </Secret>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "" && !create.isPending) create.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Name" hint="What it is for, such as the program that uses it.">
        {(control) => (
          <Input
            {...control}
            value={name}
            maxLength={64}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <RoleField role={role} onChange={setRole} roles={roles.filter((one) => me && mayDo(me.role, one))} />
        <Field label="Expires after">
          {(control) => (
            <Select {...control} value={days} onChange={(event) => setDays(event.target.value)}>
              {lifetimes.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {create.error && <ErrorState thrown={create.error} small />}
      <div className="flex justify-end gap-2">
        <Button onClick={close}>Cancel</Button>
        <Button kind="primary" type="submit" busy={create.isPending} disabled={name.trim() === ""}>
          Make it
        </Button>
      </div>
    </form>
  );
}
