import { api } from "@fed/fed/wire/api.ts";
import { type Role, roles } from "@fed/fed/wire/role.ts";
import type { WireUser } from "@fed/fed/wire/user.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { toast } from "../view/toast-store.ts";
import { RoleField } from "./settings-role-field.tsx";

interface RoleDialogProps {
  readonly user: WireUser;
  close(): void;
  onChanged(): Promise<unknown>;
}

export function RoleDialog({ user, close, onChanged }: RoleDialogProps) {
  const [role, setRole] = useState<Role>(user.role);
  const change = useMutation({
    mutationFn: () => client.call(api.setRole, { name: user.name, role }),
    async onSuccess() {
      await onChanged();
      toast({ tone: "good", title: `${user.name} is now ${role}` });
      close();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (role !== user.role && !change.isPending) change.mutate();
  };
  return (
    <Dialog open onOpenChange={close} title={`Role of ${user.name}`} about="It counts from their next request.">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <RoleField role={role} onChange={setRole} roles={roles} />
        {change.error && <ErrorState thrown={change.error} small />}
        <div className="flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={change.isPending} disabled={role === user.role}>
            Change
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
