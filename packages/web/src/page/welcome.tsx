import { api } from "@fed/fed/wire/api.ts";
import type { OutputOf } from "@fed/fed/wire/endpoint.ts";
import { passwordShape, userNameShape } from "@fed/fed/wire/user.ts";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { client, signedIn } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { readFault } from "../view/fault.ts";
import { Field, Input } from "../view/field.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Door } from "./door.tsx";

type LinkPurpose = OutputOf<typeof api.lookAtLink>;

const titles: Readonly<Record<LinkPurpose["purpose"], string>> = {
  first: "Welcome to your lab",
  invite: "Welcome",
  reset: "Choose a new password",
  rescue: "Come back in",
};

/** Where a link of one use leads: choose a password, and a name where the link has none. */
export function WelcomePage() {
  // Read once: the code leaves the address bar with the first navigation.
  const [code] = useState(() => new URLSearchParams(location.hash.slice(1)).get("code") ?? "");
  const {
    data: link,
    error,
    refetch,
  } = useQuery({
    queryKey: ["link", code],
    queryFn: ({ signal }) => client.call(api.lookAtLink, { code }, signal),
    enabled: code !== "",
  });
  if (code === "") {
    return (
      <Door title="Welcome">
        <p className="text-soft">
          This page needs the link that the hub printed, or that an admin gave you, with everything after the #.
        </p>
        <SignInLink />
      </Door>
    );
  }
  if (error) {
    const isGone = readFault(error).code === "missing";
    return (
      <Door title={isGone ? "This link does not work" : "Welcome"}>
        <ErrorState thrown={error} {...(isGone ? { title: "" } : { retry: () => void refetch() })} small />
        <SignInLink />
      </Door>
    );
  }
  if (!link) {
    return (
      <Door title="Welcome">
        <SkeletonRows />
      </Door>
    );
  }
  return <Enrol code={code} link={link} />;
}

function SignInLink() {
  return (
    <Link to="/sign-in" className="mt-4 inline-block text-accent underline">
      Sign in instead
    </Link>
  );
}

function Enrol({ code, link }: { readonly code: string; readonly link: LinkPurpose }) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ readonly thrown: unknown }>();
  const [wrong, setWrong] = useState<{ readonly name?: string | undefined; readonly password?: string | undefined }>(
    {},
  );

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const password = String(form.get("password"));
    const name = link.name === undefined ? String(form.get("name")).trim() : undefined;
    const found = {
      name: name === undefined ? undefined : userNameShape.safeParse(name).error?.issues[0]?.message,
      password: passwordShape.safeParse(password).error?.issues[0]?.message,
    };
    setWrong(found);
    const first = found.name !== undefined ? "name" : found.password !== undefined ? "password" : undefined;
    if (first !== undefined) return event.currentTarget.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
    setBusy(true);
    setFailure(undefined);
    try {
      signedIn(await client.call(api.enrol, { code, name, password }));
      await navigate({ to: "/", replace: true });
    } catch (thrown) {
      setFailure({ thrown });
    } finally {
      setBusy(false);
    }
  };

  const about =
    link.name === undefined
      ? "Choose a name and a password. You will be an admin of this hub."
      : `Choose a password for ${link.name}.`;
  return (
    <Door title={titles[link.purpose]} about={about}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4">
        {link.name === undefined ? (
          <Field label="Name" hint="Letters, digits, dots, dashes or underscores." error={wrong.name}>
            {(control) => <Input {...control} name="name" autoComplete="username" autoCapitalize="none" autoFocus />}
          </Field>
        ) : (
          // For the password manager: whose password this is.
          <input type="text" name="username" autoComplete="username" defaultValue={link.name} hidden readOnly />
        )}
        <Field label="Password" hint="At least 10 characters; a few words are better than one." error={wrong.password}>
          {(control) => (
            <Input
              {...control}
              name="password"
              type="password"
              autoComplete="new-password"
              autoFocus={link.name !== undefined}
            />
          )}
        </Field>
        {failure && <ErrorState thrown={failure.thrown} small />}
        <Button type="submit" kind="primary" busy={busy}>
          {link.name === undefined ? "Create account" : "Set password"}
        </Button>
      </form>
    </Door>
  );
}
