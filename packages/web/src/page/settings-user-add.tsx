import { api } from "@fed/fed/wire/api.ts";
import { type Role, roles } from "@fed/fed/wire/role.ts";
import type { Link, WireUser } from "@fed/fed/wire/user.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input } from "../view/field.tsx";
import { Time } from "../view/time.tsx";
import { checkName } from "./settings-check.ts";
import { RoleField } from "./settings-role-field.tsx";
import { Secret } from "./settings-secret.tsx";

interface AddUserProps {
  readonly open: boolean;
  onOpenChange(open: boolean): void;
  readonly users: readonly WireUser[];
  onAdded(): Promise<unknown>;
}

/** Asks for a name and a role; then shows the link with which they choose a password. */
export function AddUser({ open, onOpenChange, users, onAdded }: AddUserProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Add a user">
      <Steps users={users} onAdded={onAdded} close={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Steps({ users, onAdded, close }: Pick<AddUserProps, "users" | "onAdded"> & { close(): void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const add = useMutation({
    mutationFn: () => client.call(api.addUser, { name, role }),
    onSuccess: onAdded,
  });
  if (add.data?.link) return <LinkStep name={add.data.user.name} link={add.data.link} close={close} />;
  const wrong = checkName(
    name,
    users.map((one) => one.name),
  );
  const ready = name !== "" && wrong === undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !add.isPending) add.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Name" hint="They sign in with it. The password they choose themselves." error={wrong}>
        {(control) => (
          <Input
            {...control}
            value={name}
            maxLength={32}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <RoleField role={role} onChange={setRole} roles={roles} />
      {add.error && <ErrorState thrown={add.error} small />}
      <div className="flex justify-end gap-2">
        <Button onClick={close}>Cancel</Button>
        <Button kind="primary" type="submit" busy={add.isPending} disabled={!ready}>
          Add
        </Button>
      </div>
    </form>
  );
}

/** A link to hand to somebody, this once. */
export function LinkStep({ name, link, close }: { readonly name: string; readonly link: Link; close(): void }) {
  return (
    <Secret label="the link" text={location.origin + link.path} close={close}>
      <p>
        Send this link to <span className="font-medium text-ink">{name}</span> by a way you trust: whoever opens it
        first chooses the password. It works once and ends{" "}
        <Time atMs={link.expiresMs} className="font-medium text-ink" />. It leads to the address you use now,{" "}
        {location.host}: where they reach the hub at another one, put that in its place. It is not shown again.
      </p>
    </Secret>
  );
}
