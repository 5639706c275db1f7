import { z } from "zod";

/** What a person or a token may do, from less to more. Each role may do what those before it may. */
export const roles = ["viewer", "operator", "admin"] as const;

export const roleShape = z.enum(roles);
export type Role = (typeof roles)[number];

/**
 * Who may call an endpoint: `open` is anybody who reaches the port; `local` is who can read the token file in the hub's
 * data folder, and may do everything that people may. `machine` is one that reports by itself, and may do nothing else.
 */
export type Access = "open" | Role | "local" | "machine";

const ranks: Readonly<Record<Exclude<Access, "machine">, number>> = {
  ...{ open: 0, viewer: 1, operator: 2, admin: 3, local: 4 },
};

export function mayDo(has: Access, needs: Access): boolean {
  if (has === "machine" || needs === "machine") return has === needs || needs === "open";
  return ranks[has] >= ranks[needs];
}

/** The lower of two roles. */
export function lowerRole(one: Role, other: Role): Role {
  return mayDo(one, other) ? other : one;
}
