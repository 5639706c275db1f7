import { type FormEvent, useState } from "react";
import { ask } from "./ask.ts";

/** Where people sign in, or up. */
export function Door({ enter }: { readonly enter: (name: string) => void }) {
  const [deed, setDeed] = useState<"sign-in" | "sign-up">("sign-in");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    const answer = await ask<{ name: string }>("POST", deed, Object.fromEntries(new FormData(event.currentTarget)));
    setBusy(false);
    if (answer.kind === "said") enter(answer.said.name);
    else setProblem(answer.why);
  };
  const isNew = deed === "sign-up";
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h2>{isNew ? "Create an account" : "Sign in"}</h2>
      <label>
        Name
        <input name="name" required maxLength={40} autoComplete="username" />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          required
          minLength={isNew ? 10 : 1}
          maxLength={200}
          autoComplete={isNew ? "new-password" : "current-password"}
        />
      </label>
      <p role="alert">{problem}</p>
      <button type="submit" disabled={busy}>
        {isNew ? "Create account" : "Sign in"}
      </button>
      <button type="button" className="quiet" onClick={() => setDeed(isNew ? "sign-in" : "sign-up")}>
        {isNew ? "I have an account" : "I am new here"}
      </button>
    </form>
  );
}
