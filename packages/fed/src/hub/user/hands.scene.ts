import fc from "fast-check";
import type { Caller } from "#wire/handler.ts";
import { type Role, roles } from "#wire/role.ts";
import type { Grant } from "#wire/user.ts";
import { dayMs, from, minuteMs, origin, type Scene } from "./user.scene.ts";
import type { Users } from "./verbs.ts";

/** One thing that an admin, a user, a thief or time may do. `pick` chooses among what was handed out so far. */
export interface Deed {
  readonly do: keyof typeof deeds;
  readonly name: string;
  readonly role: Role;
  readonly pick: number;
}

/** What people hold in their hands, whatever it is still good for. */
export interface Hands {
  readonly scene: Scene;
  users: Users;
  /** By name in lower case: the one that was chosen last. */
  readonly passwords: Map<string, string>;
  readonly everyPassword: string[];
  readonly cookies: string[];
  readonly access: string[];
  readonly families: { current: string; readonly spent: string[] }[];
  readonly tokens: { readonly secret: string; readonly id: string }[];
  readonly codes: string[];
}

export function openHands(scene: Scene): Hands {
  return {
    ...{ scene, users: scene.users, passwords: new Map(), everyPassword: [] },
    ...{ cookies: [], access: [], families: [], tokens: [], codes: [] },
  };
}

export function secretsOf({ everyPassword, cookies, access, families, tokens, codes }: Hands): readonly string[] {
  return [
    ...[...everyPassword, ...cookies, ...access, ...codes, ...tokens.map(({ secret }) => secret)],
    ...families.flatMap(({ current, spent }) => [current, ...spent]),
  ];
}

/** Whom each secret identifies now. */
export async function callersOf({ users, cookies, access, tokens }: Hands): Promise<ReadonlyMap<string, Caller>> {
  const callers = new Map<string, Caller>();
  for (const cookie of cookies) callers.set(cookie, await users.identify({ cookie }));
  for (const bearer of [...access, ...tokens.map(({ secret }) => secret)])
    callers.set(bearer, await users.identify({ bearer }));
  return callers;
}

export const passwordIn = ({ passwords }: Hands, name: string) => passwords.get(name.toLowerCase()) ?? "none";

const choose = <T>(some: readonly T[], pick: number): T | undefined => some[pick % Math.max(1, some.length)];

function newPassword({ everyPassword }: Hands): string {
  const password = `a password of number ${everyPassword.length}`;
  everyPassword.push(password);
  return password;
}

function keepCode({ codes }: Hands, made: { readonly code: string } | undefined): void {
  if (made) codes.push(made.code);
}

function keepGrant({ access }: Hands, { accessToken, refreshToken }: Grant): string {
  access.push(accessToken);
  return refreshToken;
}

async function signedIn(hands: Hands) {
  const users = [...(await callersOf(hands)).values()];
  return users.flatMap((caller) => (caller.kind === "user" ? [caller] : []));
}

async function exchange(hands: Hands, pick: number, old: boolean): Promise<void> {
  const family = choose(hands.families, pick);
  const shown = old ? choose(family?.spent ?? [], pick) : family?.current;
  if (!family || shown === undefined) return;
  const next = keepGrant(hands, await hands.users.grants.refresh(shown, from));
  family.spent.push(family.current);
  family.current = next;
}

async function add(hands: Hands, { name, role, pick }: Deed): Promise<void> {
  const password = pick % 2 === 0 ? newPassword(hands) : undefined;
  const { user, link } = await hands.users.add(name, role, password, origin);
  keepCode(hands, link);
  if (password !== undefined) hands.passwords.set(user.name.toLowerCase(), password);
}

async function change(hands: Hands, { name }: Deed): Promise<void> {
  const mine = (await signedIn(hands)).find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!mine) return;
  const password = newPassword(hands);
  await hands.users.changePassword(mine, passwordIn(hands, name), password, from);
  hands.passwords.set(name.toLowerCase(), password);
}

async function enrol(hands: Hands, { name, pick }: Deed): Promise<void> {
  const password = newPassword(hands);
  const code = choose(hands.codes.slice(-3), pick) ?? "none";
  const { user, opened } = await hands.users.links.enrol(code, name, password, from);
  hands.passwords.set(user.name.toLowerCase(), password);
  hands.cookies.push(opened.secret);
}

async function makeToken(hands: Hands, { pick, role }: Deed): Promise<void> {
  const caller = choose(await signedIn(hands), pick);
  if (!caller) return;
  const wish = { name: "ci", role, expiresInDays: pick % 3 === 0 ? 5 : undefined };
  const { secret, token } = hands.users.tokens.create(caller, wish, origin);
  hands.tokens.push({ secret, id: token.id });
}

const waitsMs = [1_000, minuteMs, 16 * minuteMs, dayMs, 8 * dayMs];

const deeds = {
  add,
  change,
  enrol,
  makeToken,
  disable: ({ users }: Hands, { name }: Deed) => users.disable(name, origin),
  enable: ({ users }: Hands, { name }: Deed) => users.enable(name, origin),
  setRole: ({ users }: Hands, { name, role }: Deed) => users.setRole(name, role, origin),
  reset: (hands: Hands, { name }: Deed) => keepCode(hands, hands.users.reset(name, origin).link),
  rescue: (hands: Hands, { name, pick }: Deed) =>
    keepCode(hands, hands.users.rescue(pick % 3 === 0 ? undefined : name, origin)),
  async signIn(hands: Hands, { name }: Deed) {
    const user = await hands.users.authenticate(name, passwordIn(hands, name), from);
    hands.cookies.push(hands.users.sessions.openBrowser(user, from).secret);
  },
  async logIn(hands: Hands, { name }: Deed) {
    const user = await hands.users.authenticate(name, passwordIn(hands, name), from);
    hands.families.push({ current: keepGrant(hands, await hands.users.grants.openClient(user, from)), spent: [] });
  },
  guess: (hands: Hands, { name }: Deed) => hands.users.authenticate(name, newPassword(hands), from),
  refresh: (hands: Hands, { pick }: Deed) => exchange(hands, pick, false),
  replay: (hands: Hands, { pick }: Deed) => exchange(hands, pick, true),
  async signOut(hands: Hands, { pick }: Deed) {
    const caller = choose(await signedIn(hands), pick);
    if (caller) hands.users.sessions.end(caller.session.id, "signed out", origin);
  },
  revoke: ({ users, tokens }: Hands, { pick }: Deed) =>
    users.tokens.revoke({ kind: "local" }, choose(tokens, pick)?.id ?? "none", origin),
  sweep: ({ users }: Hands) => users.sweep(),
  wait: ({ scene }: Hands, { pick }: Deed) => scene.clock.turn(choose(waitsMs, pick) ?? 0),
  restart(hands: Hands) {
    hands.users = hands.scene.openAgain();
    const code = hands.users.firstCode();
    keepCode(hands, code === undefined ? undefined : { code });
  },
} as const;

/** How often each is done beside the others. */
const weights: Readonly<Record<Deed["do"], number>> = {
  ...{ add: 4, enrol: 5, signIn: 6, logIn: 6, makeToken: 5, refresh: 9, replay: 4, change: 4, guess: 2 },
  ...{ disable: 3, enable: 4, setRole: 3, reset: 2, rescue: 1, signOut: 1, revoke: 1, sweep: 1, wait: 3, restart: 1 },
};

export const anyDeed: fc.Arbitrary<Deed> = fc.record({
  do: fc.oneof(
    ...(Object.keys(weights) as Deed["do"][]).map((deed) => ({ weight: weights[deed], arbitrary: fc.constant(deed) })),
  ),
  name: fc.constantFrom("ada", "ADA", "grace", "eve"),
  role: fc.constantFrom(...roles),
  pick: fc.nat(1_000),
});

export async function run(hands: Hands, deed: Deed): Promise<void> {
  await deeds[deed.do](hands, deed);
}
