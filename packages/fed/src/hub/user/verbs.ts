import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Database } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { Caller } from "#wire/handler.ts";
import { type Accounts, openAccounts } from "./account.ts";
import { type DeedBudget, makeDeedBudget } from "./deed-budget.ts";
import { type Grants, openGrants } from "./grant.ts";
import { makeAccessTokens } from "./jwt.ts";
import { type Links, openLinks } from "./link.ts";
import { openPasswords, type Passwords } from "./password.ts";
import { makeRefusals, type Refusals } from "./refusal.ts";
import { sameSecret } from "./secret.ts";
import { openSessions, type Sessions } from "./session.ts";
import { openSignIn, type SignIn } from "./sign-in.ts";
import { dropLinksBefore, dropLinksOf, dropSessions, dropTokens, selectUsers } from "./store.ts";
import { type ApiTokens, openApiTokens } from "./token.ts";
import { hasAdmin, idleMs } from "./user.ts";

export interface UsersNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Signs access tokens; at least 32 bytes. */
  readonly signingKey: Uint8Array;
  /** Of the token file in the data folder. */
  readonly localToken: string;
  readonly passwords?: Passwords;
}

export interface Users extends Accounts, SignIn {
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly links: Links;
  readonly tokens: ApiTokens;
  /** Who shows these; `nobody` for what is not known or no longer good. */
  identify(shown: { readonly bearer?: string | undefined; readonly cookie?: string | undefined }): Promise<Caller>;
  /** Who was identified before, as they stand now; `nobody` when that is no longer good. An access token may be over. */
  recall(caller: Caller): Caller;
  checkCsrf(caller: Caller, header: string | undefined): boolean;
  /** A fresh code with which the first admin is made; undefined when there is one. */
  firstCode(): string | undefined;
  /** Signing in and making tokens: how much of it one may do. */
  readonly budget: DeedBudget;
  /** Somebody was refused: at most one line a minute for each caller, endpoint and reason. */
  readonly recordRefusal: Refusals["record"];
  /** Forgets what can't be used any more. */
  sweep(): void;
}

const dayMs = 86_400_000;
/** Of what leaves no event. */
const quietly = { actor: "hub", correlation: "hub" };
const keyBytes = 32;

export function openUsers(needs: UsersNeeds): Users {
  const { db, events, clock, signingKey, localToken, passwords = openPasswords() } = needs;
  requireKeys(signingKey, localToken);
  const refusals = makeRefusals(events, clock);
  const accessTokens = makeAccessTokens(signingKey, clock);
  const sessions = openSessions({ db, events, clock, accessTokens, signingKey });
  const links = openLinks({ db, events, clock, passwords, sessions });
  const tokens = openApiTokens({ db, events, clock });
  return {
    ...openAccounts({ db, events, clock, passwords, sessions, links }),
    ...openSignIn({ db, events, clock, passwords, sessions, refusals }),
    ...{ sessions, links, tokens },
    grants: openGrants({ db, events, clock, accessTokens, signingKey, isEnding: sessions.isEnding }),
    async identify({ bearer, cookie }) {
      if (bearer === undefined) return cookie === undefined ? { kind: "nobody" } : sessions.ofCookie(cookie);
      if (sameSecret(bearer, localToken)) return { kind: "local" };
      return tokens.isOne(bearer) ? tokens.identify(bearer) : sessions.ofAccessToken(bearer);
    },
    recall(caller) {
      if (caller.kind === "user") return sessions.ofId(caller.session.id);
      return caller.kind === "token" ? tokens.ofId(caller.tokenId) : caller;
    },
    checkCsrf: (caller, header) => caller.kind === "user" && sessions.checkCsrf(caller.session.id, header),
    firstCode() {
      if (hasAdmin(selectUsers(db))) return undefined;
      return events.deed(hubOrigin(clock), (tx, emit) => links.makeIn(tx, emit, "first", undefined).code);
    },
    budget: makeDeedBudget(clock),
    recordRefusal: refusals.record,
    sweep() {
      const nowMs = clock.nowMs();
      sessions.endLate();
      events.deed(quietly, (tx) => {
        dropLinksBefore(tx, nowMs);
        if (hasAdmin(selectUsers(tx))) dropLinksOf(tx, "first");
        dropSessions(tx, nowMs - dayMs, nowMs - idleMs, nowMs);
        dropTokens(tx, nowMs - 90 * dayMs);
      });
    },
  };
}

/** A file cut short must not become a key that can be guessed. */
function requireKeys(signingKey: Uint8Array, localToken: string): void {
  if (signingKey.length >= keyBytes && localToken.length >= keyBytes) return;
  throw new Fault("invalid", "a secret of the hub in its data folder is cut short", {
    hint: "Remove `token` and `signing.key` there and start the hub again: it makes new ones.",
  });
}
