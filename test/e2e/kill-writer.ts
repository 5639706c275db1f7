/**
 * Writes as the hub does, by the hub's own verbs, until it is killed: `node kill-writer.ts FOLDER SEED`. Says `begin` before
 * it opens the database, then a line (`Said`) for each event that was told and each deed that was done.
 */
import { writeSync } from "node:fs";
import { systemClock as clock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace as trace } from "../../packages/fed/src/base/trace.ts";
import { openControl } from "../../packages/fed/src/hub/db/db.ts";
import { type EventLog, type Origin, openEventLog } from "../../packages/fed/src/hub/event/verbs.ts";
import { type Machines, openMachines } from "../../packages/fed/src/hub/machine/verbs.ts";
import { openUsers, type Users } from "../../packages/fed/src/hub/user/verbs.ts";
import type { FedEvent } from "../../packages/fed/src/wire/event.ts";
import { type Dice, makeDice } from "./dice.ts";

export type Said = { readonly event: FedEvent } | { readonly done: string };

const local = { kind: "local" } as const;
/** Cut often, so that kills fall into that too. */
const retention = { maxAgeMs: 86_400_000, maxEvents: 500, maxBytes: 64 * 1024 * 1024 };

const say = (said: Said) => void writeSync(1, `${JSON.stringify(said)}\n`);

/** Opens the database, does some deeds and closes it: kills fall into all of that. */
async function live(folder: string, dice: Dice): Promise<void> {
  const db = openControl(folder);
  const events = openEventLog({ db, clock, trace, retention });
  events.listen((event) => say({ event }));
  const keys = { signingKey: new Uint8Array(32), localToken: "0".repeat(43) };
  const users = openUsers({ db, events, clock, trace, ...keys });
  const machines = openMachines({ db, events, clock, servicesOn: () => [], onChange() {} });
  for (let left = dice.below(200); left > 0; left--) {
    const [before, correlation] = [events.last, `cor_${dice.below(2 ** 32)}_${dice.below(2 ** 32)}`];
    await doOne({ events, users, machines }, { actor: "local", correlation }, dice);
    if (events.last > before) say({ done: correlation });
  }
  events.close();
  db.close();
}

interface Parts {
  readonly events: EventLog;
  readonly users: Users;
  readonly machines: Machines;
}

async function doOne({ users, machines, events }: Parts, origin: Origin, dice: Dice): Promise<void> {
  const roll = dice.below(8);
  if (roll === 0) {
    const token = dice.pick(users.tokens.list(local));
    if (token) users.tokens.revoke(local, token.id, origin);
  } else if (roll === 1) await users.add(`u${dice.below(2 ** 32)}`, "viewer", undefined, origin);
  else if (roll === 2) {
    const user = dice.pick(users.list());
    if (user) users.disable(user.name, origin);
  } else if (roll === 3) machines.update({ machines: someMachines(dice) }, origin);
  else if (roll === 4) {
    const answered = { kind: "answered", tookMs: 1, detail: "" } as const;
    const silent = { kind: "silent", reason: "no answer within 3 s" } as const;
    // What is seen is the hub's own deed, told under another correlation.
    for (const name of machines.names()) {
      machines.saw(name, { look: dice.below(2) > 0 ? answered : silent });
    }
    events.note(origin, "hub", { type: "loop.recovered", loop: "machine.look" });
  } else if (roll === 5) events.trim(origin);
  else users.tokens.create(local, { name: `t${dice.below(2 ** 32)}`, role: "viewer" }, origin);
}

function someMachines(dice: Dice) {
  const names = ["a", "b", "c", "d"].filter(() => dice.below(3) > 0);
  return Object.fromEntries(
    names.map((name) => [name, { kind: "server" as const, address: name, user: "fed", labels: {} }]),
  );
}

const [folder = "", seed = "0"] = process.argv.slice(2);
const dice = makeDice(Number(seed));
writeSync(1, "begin\n");
for (;;) await live(folder, dice);
