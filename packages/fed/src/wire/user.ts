import { z } from "zod";
import { roleShape } from "./role.ts";

/** A name people sign in with: letters, digits, dots, dashes and underscores, 1 to 32; upper and lower case are one. */
export const userNameShape = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, "a name has 1 to 32 letters, digits, dots, dashes or underscores");

/** At least 10 characters, at most 1,024. */
export const passwordShape = z
  .string()
  .min(10, "a password has at least 10 characters")
  .max(1024, "a password has at most 1,024 characters");

export const userShape = z.object({
  id: z.string(),
  name: z.string(),
  role: roleShape,
  /** `invited`: has not chosen a password yet. */
  state: z.enum(["active", "invited", "disabled"]),
  createdMs: z.number(),
  /** Of the last sign-in. */
  signedInMs: z.number().optional(),
});

/** Who the caller is. */
export const meShape = z.object({
  kind: z.enum(["user", "token", "local"]),
  name: z.string(),
  role: roleShape,
  /** What a page sends as the header `x-csrf-token` with every request that is no GET; only for browser sessions. */
  csrf: z.string().optional(),
});

/**
 * A link of one use to choose a password with. Whoever shows it puts the address before it at which they reach the hub:
 * the hub does not know it, and what a request says of it (`Host`) may be forged.
 */
export const linkShape = z.object({
  /** Path and fragment on the hub, such as `/welcome#code=…`: the code is in the fragment, so no server or proxy sees it. */
  path: z.string(),
  expiresMs: z.number(),
});

export const credentialsShape = z.object({ name: z.string().min(1).max(200), password: z.string().min(1).max(1024) });

export const grantShape = z.object({
  /** JWT for the header `authorization: Bearer …`. */
  accessToken: z.string(),
  /** For one use at `/api/v1/auth/refresh`; showing it a second time ends the session. */
  refreshToken: z.string(),
  /** Of the access token. */
  expiresInSeconds: z.number().int(),
  user: userShape,
});

export const tokenShape = z.object({
  id: z.string(),
  name: z.string(),
  /** The first letters of the token, to recognise it by. */
  prefix: z.string(),
  role: roleShape,
  /** Whose it is; left out when it was made on the hub's machine without a login. */
  user: z.string().optional(),
  createdMs: z.number(),
  expiresMs: z.number().optional(),
  usedMs: z.number().optional(),
  state: z.enum(["active", "expired", "revoked"]),
});

export type WireUser = z.infer<typeof userShape>;
export type WireToken = z.infer<typeof tokenShape>;
export type Me = z.infer<typeof meShape>;
export type Link = z.infer<typeof linkShape>;
export type Grant = z.infer<typeof grantShape>;
