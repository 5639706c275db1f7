import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { Machines } from "#hub/machine/verbs.ts";
import { hashSecret, makeSecret } from "#hub/user/secret.ts";
import { badTokens, type JoinToken, judgeToken, newTokenHint, tokenLifeMs, type Verdict } from "./agent.ts";
import {
  dropTokensBefore,
  dropUnusedTokens,
  insertToken,
  saveAgent,
  selectAgent,
  selectToken,
  takeToken,
} from "./store.ts";

export interface JoinNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly machines: Pick<Machines, "prepareJoin">;
}

/** Who shows something at the door. */
export interface Comer {
  readonly address: string;
  readonly correlation: string;
}

/** How machines come to report by themselves. */
export interface Joins {
  /** A token for one machine; the one that was made for it before and not used is good no more. */
  allow(name: string, kind: JoinToken["kind"], origin: Origin): { readonly token: string; readonly expiresMs: number };
  /** Uses nothing up. */
  look(token: string): Verdict;
  /**
   * Uses a token up: the machine is in the fleet, and the answer is what it shows from now on. Fault `denied` for a token that is not
   * good, `conflict` for a machine that is in the fleet in another way.
   */
  claim(token: string, comer: Comer): { readonly machine: string; readonly credential: string };
}

export const credentialStart = "fedm_";
/** Of what was shown in vain; the same address is told of once a minute, and all together not without end. */
const quietMs = 60_000;
const mostTold = 60;
/** A token that was used or is too old is still known as such for a while: it helps the person who shows it. */
const rememberMs = 24 * 60 * 60_000;

export function openJoins(needs: JoinNeeds): Joins {
  const { db, events, clock, machines } = needs;
  const tellRefusal = makeTelling(needs);
  const look = (token: string) => judgeToken(selectToken(db, hashSecret(token)), clock.nowMs());

  function claimGood(token: JoinToken, { address, correlation }: Comer) {
    const credential = credentialStart + makeSecret();
    const { machine, kind, createdBy } = token;
    const nowMs = clock.nowMs();
    // Never that of the one before it: by it they are told apart.
    const joinedMs = Math.max(nowMs, (selectAgent(db, machine)?.joinedMs ?? 0) + 1);
    const change = machines.prepareJoin(machine, { kind, address }, { actor: createdBy, correlation });
    events.deed({ actor: `machine:${machine}`, correlation }, (tx, emit) => {
      if (!takeToken(tx, token.hash, nowMs)) throw refusal("used");
      change.record(tx, emit);
      saveAgent(tx, {
        ...{ machine, credential: hashSecret(credential), joinedMs, sequence: 0, version: "", leaving: false },
      });
      emit(`machine:${machine}`, { type: "machine.joined", address });
    });
    change.take();
    return { machine, credential };
  }

  return {
    look,
    allow(name, kind, origin) {
      const token = makeSecret();
      const createdMs = clock.nowMs();
      const expiresMs = createdMs + tokenLifeMs;
      // Asked now for what would be refused at the machine.
      machines.prepareJoin(name, { kind, address: "" }, origin);
      events.deed(origin, (tx, emit) => {
        dropTokensBefore(tx, createdMs - rememberMs);
        dropUnusedTokens(tx, name);
        const row = { hash: hashSecret(token), machine: name, kind, createdMs, createdBy: origin.actor, expiresMs };
        insertToken(tx, { ...row, usedMs: undefined });
        emit(`machine:${name}`, { type: "machine.joinAllowed", expiresMs });
      });
      return { token, expiresMs };
    },
    claim(token, comer) {
      const verdict = look(token);
      if (verdict.kind === "good") return claimGood(verdict.token, comer);
      tellRefusal(verdict.token?.machine, badTokens[verdict.kind], comer);
      throw refusal(verdict.kind);
    },
  };
}

function refusal(kind: Exclude<Verdict["kind"], "good">): Fault {
  return new Fault("denied", badTokens[kind], { hint: newTokenHint });
}

function makeTelling({ events, clock }: Pick<JoinNeeds, "events" | "clock">) {
  const told = new Map<string, number>();
  return (machine: string | undefined, reason: string, { address, correlation }: Comer) => {
    const tickMs = clock.tickMs();
    for (const [key, atMs] of told) if (tickMs - atMs >= quietMs) told.delete(key);
    const key = JSON.stringify([machine, reason, address]);
    if (told.has(key) || told.size >= mostTold) return;
    told.set(key, tickMs);
    const subject = machine === undefined ? "hub" : `machine:${machine}`;
    events.note({ actor: "nobody", correlation }, subject, { type: "machine.joinRefused", reason, address });
  };
}
