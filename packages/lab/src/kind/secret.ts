/** A secret: a name. Its value is given to the hub, apart from the lab, and never enters the document. */

import type { SecretDocument } from "../document.ts";
import type { Read } from "../read/cursor.ts";
import { reference, text } from "../read/scalar.ts";
import { list, object, optional, required } from "../read/shape.ts";

/** The secrets one may name; a lab without secrets says so in the compiler's message. */
export type SecretName<X extends string> = [X] extends [never] ? "(the lab declares no secrets)" : X;

/**
 * What a secret is.
 *
 * @example
 * secrets: {
 *   BLOG_DB: { in: ["staging", "prod"], description: "Connection string of the blog's database." },
 *   SMTP: {},
 * }
 */
export interface SecretProps<E extends string = string> {
  /** Environments in which it has a value; all when left out. */
  readonly in?: readonly E[];
  /** What it is and where a new one comes from, for people. */
  readonly description?: string;
}

export const readSecret: Read<SecretDocument> = object<SecretDocument>("a secret", {
  in: optional(list("a list of environments", reference("environment"), 1)),
  description: optional(text({ what: "a description", empty: true })),
});

export const readSecretFileReference = object<{ readonly secretFile: string }>("a reference to the file of a secret", {
  secretFile: required(reference("secret")),
});

export const readSecretReference = object<{ readonly secret: string }>("a reference to a secret", {
  secret: required(reference("secret")),
});
