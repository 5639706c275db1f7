import { api } from "@fed/fed/wire/api.ts";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { client, signedIn } from "../hub.ts";
import { safePath } from "../safe-path.ts";
import { Button } from "../view/button.tsx";
import { InlineCode } from "../view/code.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { readFault } from "../view/fault.ts";
import { Field, Input } from "../view/field.tsx";
import { Door } from "./door.tsx";

/** What is refused here is the sign-in itself; that nobody is signed in yet needs no saying. */
function titleOf(thrown: unknown): string | undefined {
  return readFault(thrown).code === "unauthenticated" ? "You could not be signed in" : undefined;
}

export function SignInPage() {
  const { to } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ readonly thrown: unknown }>();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFailure(undefined);
    try {
      const name = String(form.get("name"));
      signedIn(await client.call(api.openSession, { name, password: String(form.get("password")) }));
      await navigate({ href: safePath(to), replace: true });
    } catch (thrown) {
      setFailure({ thrown });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Door
      title="Sign in"
      foot={
        <>
          First time here? The hub prints a link when it starts. Lost your password? An admin makes you a new link, or
          on the hub's own machine <InlineCode>fed user rescue</InlineCode> does.
        </>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <Field label="Name">
          {(control) => (
            <Input {...control} name="name" required autoComplete="username" autoCapitalize="none" autoFocus />
          )}
        </Field>
        <Field label="Password">
          {(control) => <Input {...control} name="password" type="password" required autoComplete="current-password" />}
        </Field>
        {failure && <ErrorState thrown={failure.thrown} title={titleOf(failure.thrown)} small />}
        <Button type="submit" kind="primary" busy={busy}>
          Sign in
        </Button>
      </form>
    </Door>
  );
}
