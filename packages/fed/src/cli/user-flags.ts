import { roles } from "#wire/role.ts";
import type { Link, WireUser } from "#wire/user.ts";
import type { ArgSpecs } from "./command.ts";
import { localTime } from "./moment.ts";
import type { Screen } from "./print.ts";

/** What the commands about users have in common. */

export const userArg = { name: { kind: "text", description: "Name of the user" } } as const satisfies ArgSpecs;

export const roleSpec = {
  kind: "choice",
  of: roles,
  description: "A viewer sees, an operator acts, an admin governs",
} as const;

export function showUser(screen: Screen, user: WireUser, says: string): void {
  if (screen.json) screen.data({ user });
  screen.line(says);
}

/** The link alone on stdout, so that it can be handed on. */
export function showLink(screen: Screen, link: Link, more: Readonly<Record<string, unknown>> = {}): void {
  if (screen.json) screen.data({ ...more, link });
  else {
    screen.note(`Give them this link to choose a password with; it works once, until ${localTime(link.expiresMs)}:`);
    screen.line(link.url);
  }
}
