import { api } from "@fed/fed/wire/api.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, useMe } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input } from "../view/field.tsx";
import { countText } from "../view/format.ts";
import { toast } from "../view/toast-store.ts";
import { checkPasswords } from "./settings-check.ts";

const empty = { current: "", next: "", again: "" };

export function PasswordSettings() {
  const me = useMe();
  const [typed, setTyped] = useState(empty);
  const checked = checkPasswords(typed);
  const change = useMutation({
    mutationFn: () => client.call(api.changePassword, { current: typed.current, next: typed.next }),
    onSuccess({ sessionsEnded }) {
      setTyped(empty);
      const others =
        sessionsEnded === 0 ? "You had no other session." : `${countText(sessionsEnded, "other session")} ended.`;
      toast({ tone: "good", title: "Your password was changed", detail: others });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (checked.ready && !change.isPending) change.mutate();
  };
  const take = (name: keyof typeof empty) => (event: { readonly target: { readonly value: string } }) =>
    setTyped((before) => ({ ...before, [name]: event.target.value }));
  return (
    <Card title="Password" about="Changing it ends all your other sessions. API tokens go on.">
      <form onSubmit={submit} className="flex max-w-sm flex-col gap-4">
        {/* For password managers: whose password this is. */}
        <input type="text" name="username" autoComplete="username" value={me?.name ?? ""} readOnly hidden />
        <Field label="Current password">
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="current-password"
              value={typed.current}
              onChange={take("current")}
            />
          )}
        </Field>
        <Field label="New password" hint="At least 10 characters; a few words are easy to keep." error={checked.next}>
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={typed.next}
              onChange={take("next")}
            />
          )}
        </Field>
        <Field label="New password again" error={checked.again}>
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={typed.again}
              onChange={take("again")}
            />
          )}
        </Field>
        {change.error && <ErrorState thrown={change.error} small />}
        <div>
          <Button kind="primary" type="submit" busy={change.isPending} disabled={!checked.ready}>
            Change password
          </Button>
        </div>
      </form>
    </Card>
  );
}
