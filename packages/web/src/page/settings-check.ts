import { passwordShape, userNameShape } from "@fed/fed/wire/user.ts";

/** What is wrong with what was typed; nothing is said of a field that is still empty. Pure. */
export function checkPasswords(typed: { readonly current: string; readonly next: string; readonly again: string }): {
  readonly next: string | undefined;
  readonly again: string | undefined;
  readonly ready: boolean;
} {
  const length = passwordShape.safeParse(typed.next);
  const next =
    typed.next === ""
      ? undefined
      : !length.success
        ? length.error.issues[0]?.message
        : typed.next === typed.current
          ? "that is the password you have"
          : undefined;
  const again = typed.again !== "" && typed.again !== typed.next ? "the two are not the same" : undefined;
  const ready = typed.current !== "" && typed.next !== "" && typed.again === typed.next && next === undefined;
  return { next, again, ready };
}

/** What is wrong with a name for a new user. Pure. */
export function checkName(name: string, taken: readonly string[]): string | undefined {
  if (name === "") return undefined;
  const shape = userNameShape.safeParse(name);
  if (!shape.success) return shape.error.issues[0]?.message;
  return taken.some((one) => one.toLowerCase() === name.toLowerCase()) ? "there is a user of that name" : undefined;
}
