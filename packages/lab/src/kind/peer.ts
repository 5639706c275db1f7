/** Another server that the hub speaks HTTP with: where it is, and who the hub is to it. */

import type { HttpAuth, PasswordAuth } from "../document.ts";
import { isPlainObject, type Read } from "../read/cursor.ts";
import { text } from "../read/scalar.ts";
import { object, required } from "../read/shape.ts";
import { readSecretReference } from "./secret.ts";

/** A user with a password, or the bearer of a token. `X`: the secrets one may name. */
export type HttpAuthProps<X extends string> =
  | { readonly user: string; readonly password: { readonly secret: X } }
  | { readonly token: { readonly secret: X } };

function urlHint(url: string): string {
  if (/^https?:\/\/[^/]*@/.test(url)) return "Write user and password under `auth`: a plain text is public.";
  if (url.includes("#")) return "Leave out the # and what follows it.";
  return "It begins with http:// or https://, and has no spaces.";
}

/** A URL without user and password, which would be public. */
export const readUrl: Read<string> = text({
  ...{ what: "a URL", hint: urlHint, longest: 2_048 },
  pattern: /^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/,
});

export const readPasswordAuth: Read<PasswordAuth> = object<PasswordAuth>("a user and a password", {
  user: required(text({ what: "a user name", pattern: /^[^:\p{Cc}]+$/u, longest: 256 })),
  password: required(readSecretReference),
});
const readBearer = object<Extract<HttpAuth, { token: object }>>("a token", {
  token: required(readSecretReference),
});

export const readHttpAuth: Read<HttpAuth> = (value, at) =>
  isPlainObject(value) && Object.hasOwn(value, "token") ? readBearer(value, at) : readPasswordAuth(value, at);
