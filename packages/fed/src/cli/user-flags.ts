import { roles } from "#wire/role.ts";
import type { Link, WireUser } from "#wire/user.ts";
import type { ArgSpecs } from "./command.ts";
import { isLoopback } from "./loopback.ts";
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

/**
 * The link alone on stdout, so that it can be handed on; `at` is the address the hub was reached at, for nobody knows a
 * better one. `says` what it is for.
 */
export function showLink(
  screen: Screen,
  { link, at }: { readonly link: Link; readonly at: string },
  says: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const { origin } = new URL(at);
  const url = origin + link.path;
  if (screen.json) {
    screen.data({ ...more, link: { ...link, url } });
    return;
  }
  screen.note(`${says}; it works once, until ${localTime(link.expiresMs)}:`);
  screen.line(url);
  if (isLoopback(origin)) {
    screen.note({
      text: `It opens on this machine only. For elsewhere put the hub's address there in place of ${origin}.`,
      style: "warn",
    });
  }
}

export const forThem = "Give them this link to choose a password with";
