import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import type { Tx } from "#disk/sqlite.ts";
import type { Origin } from "#hub/event/verbs.ts";
import { bindKey, forgetUnused, type Keyring, type KeyringNeeds, requireUnlocked } from "./keyring.ts";
import { seal } from "./seal.ts";
import {
  countValues,
  deleteValue,
  findNewestValue,
  findValue,
  insertValue,
  lastVersion,
  markRemoved,
  selectNewestValues,
  selectValues,
  type ValueRow,
} from "./store.ts";
import { forgottenOf, nameText, openValue, placeOfValue, versionsIn } from "./version.ts";

/** Which value of the lab's secret is meant: that of one environment, or of all that have none of their own. */
export interface ValueName {
  readonly name: string;
  readonly environment?: string | undefined;
}

/** What the store has of a secret. Version 0 is a file of the data folder. */
export interface ListedValue {
  readonly name: string;
  readonly environment: string | undefined;
  readonly version: number;
  readonly setMs: number | undefined;
  readonly setBy: string | undefined;
  /** The master key that sealed it is not there. */
  readonly lost: boolean;
}

/** The values of the lab's secrets. Each that is set is a version of its own, so that a release can say which it runs with. */
export interface Values {
  /** The newest of each name and environment, without its value; those for all environments first. */
  list(): readonly ListedValue[];
  /**
   * A new version, unless the value is the newest's. Fault `conflict` while the vault is locked, `limited` when there are too many,
   * `invalid` for a text that no variable can hold.
   */
  set(
    origin: Origin,
    wanted: ValueName,
    value: string,
  ): Promise<{ readonly version: number; readonly changed: boolean }>;
  /** Nothing new gets it from now on; a release that names a version keeps it. Fault `missing` when there is none. */
  remove(origin: Origin, wanted: ValueName): Promise<void>;
  /**
   * Which version each secret has in an environment: its own newest, else the newest for all, else 0, a file of the data folder. A
   * name that is not in it has no value there. Reads only, and opens nothing.
   */
  versionsOf(environment: string): ReadonlyMap<string, number>;
  /**
   * The value of that version, in the clear: for the instance that needs it and nowhere else. Fault `missing` when it is not there
   * (any more), `conflict` when it cannot be opened.
   */
  reveal(name: string, environment: string, version: number): Promise<string>;
  /** For the hub itself, which belongs to no environment: the value for all, else the file. Faults as of `reveal`. */
  read(name: string): Promise<string>;
  /**
   * Forgets versions that were replaced or removed more than a day ago and that nobody needs, in the transaction of who knows what is
   * needed. A version is known by its name and number.
   */
  forget(tx: Tx, isNeeded: (name: string, version: number) => boolean): void;
}

export interface ValueNeeds extends KeyringNeeds {
  /** The folder `secrets` of the data folder: values that people keep as files. */
  readonly folder: string;
}

const mostVersions = 10_000;

export function openValues(needs: ValueNeeds, ring: Keyring): Values {
  const { db, folder, redactor } = needs;
  knowAll(needs, ring);
  const fromFile = async (name: string) => {
    const value = (await readFileIfThere(join(folder, name)))?.replace(/\r?\n$/, "");
    if (value !== undefined) redactor.know(name, value);
    return value;
  };
  const fromRow = (row: ValueRow) => {
    const value = openValue(row, ring.state);
    redactor.know(row.name, value);
    return value;
  };
  return {
    list: () => [
      ...selectNewestValues(db)
        .filter(({ removedMs }) => removedMs === undefined)
        .map((row) => listed(row, ring)),
      ...filesIn(folder).map((name) => ({
        ...{ name, environment: undefined, version: 0, setMs: undefined, setBy: undefined, lost: false },
      })),
    ],
    set: (origin, wanted, value) => ring.inTurn(() => set(needs, ring, origin, wanted, value)),
    remove: (origin, wanted) => ring.inTurn(async () => remove(needs, ring, origin, wanted)),
    versionsOf: (environment) => versionsIn(environment, selectNewestValues(db), filesIn(folder)),
    async reveal(name, environment, version) {
      const row = version === 0 ? undefined : findValue(db, name, environment, version);
      if (row) return fromRow(row);
      const value = version === 0 ? await fromFile(name) : undefined;
      if (value !== undefined) return value;
      throw noValue({ name, environment }, version);
    },
    async read(name) {
      const row = findNewestValue(db, name, "");
      if (row && row.removedMs === undefined) return fromRow(row);
      const value = await fromFile(name);
      if (value !== undefined) return value;
      throw noValue({ name }, 0);
    },
    forget(tx, isNeeded) {
      const gone = forgottenOf(selectValues(tx), needs.clock.nowMs());
      for (const row of gone) if (!isNeeded(row.name, row.version)) deleteValue(tx, row);
      forgetUnused(tx);
    },
  };
}

async function set(needs: ValueNeeds, ring: Keyring, origin: Origin, wanted: ValueName, value: string) {
  const { db, events, clock, redactor } = needs;
  const { name, environment = "" } = wanted;
  if (value.includes("\0")) throw new Fault("invalid", "a secret is a text, and this has a zero byte in it");
  const newest = findNewestValue(db, name, environment);
  const known = newest && newest.removedMs === undefined && sameKey(newest, ring) ? newest : undefined;
  if (known && openValue(known, ring.state) === value) return { version: known.version, changed: false };
  if (countValues(db) >= mostVersions) {
    throw new Fault("limited", `the vault holds ${mostVersions} versions of secrets, and no more`, {
      hint: "`fed secret list` shows what is there; remove what nobody needs.",
    });
  }
  const key = await ring.forUse();
  redactor.know(name, value);
  const version = events.deed(origin, (tx, emit) => {
    const next = { name, environment, version: lastVersion(tx, name) + 1 };
    const sealed = seal(key, placeOfValue(next), value);
    const setMs = clock.nowMs();
    bindKey(tx, key, setMs);
    insertValue(tx, { ...next, keyId: key.id, sealed, setMs, setBy: origin.actor, removedMs: undefined });
    emit(`secret:${nameText(next)}`, { type: "secret.set", version: next.version });
    return next.version;
  });
  needs.onChange();
  return { version, changed: true };
}

function remove({ db, events, clock, onChange }: ValueNeeds, ring: Keyring, origin: Origin, wanted: ValueName) {
  requireUnlocked(ring.state);
  const { name, environment = "" } = wanted;
  const newest = findNewestValue(db, name, environment);
  if (newest === undefined || newest.removedMs !== undefined) {
    throw new Fault("missing", `the vault has no secret ${nameText({ name, environment })}`, {
      hint: "`fed secret list` shows what it has.",
    });
  }
  events.deed(origin, (tx, emit) => {
    markRemoved(tx, name, environment, clock.nowMs());
    emit(`secret:${nameText({ name, environment })}`, { type: "secret.removed" });
  });
  onChange();
}

function listed(row: Omit<ValueRow, "sealed">, ring: Keyring): ListedValue {
  const { name, environment, version, setMs, setBy } = row;
  return { ...{ name, version, setMs, setBy }, environment: environment || undefined, lost: !sameKey(row, ring) };
}

const sameKey = ({ keyId }: Pick<ValueRow, "keyId">, { state }: Keyring) =>
  state.kind === "open" && state.key.id === keyId;

/** Makes known all that opens: what an earlier hub gave to instances that still run may stand in what they write. */
export function knowAll({ db, redactor }: ValueNeeds, ring: Keyring): void {
  for (const row of selectValues(db)) {
    if (row.sealed === undefined || !sameKey(row, ring)) continue;
    try {
      redactor.know(row.name, openValue(row, ring.state));
    } catch {
      // Damaged: whoever needs it is told so.
    }
  }
}

/** As the lab has names of secrets. */
const nameOfSecret = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => nameOfSecret.test(name))
      .sort();
  } catch (thrown) {
    if (errorCode(thrown) === "ENOENT") return [];
    throw fileFault(thrown, "read", folder);
  }
}

function noValue({ name, environment }: ValueName, version: number): Fault {
  const where = environment === undefined ? "for the hub itself" : `in ${environment}`;
  if (version > 0) {
    return new Fault("missing", `version ${version} of the secret ${name} is not kept any more ${where}`, {
      hint: "Deploy the service: a new release takes the newest value.",
    });
  }
  const flag = environment === undefined ? "" : ` --env ${environment}`;
  return new Fault("missing", `the secret ${name} has no value ${where}`, {
    hint: `\`fed secret set ${name}${flag}\` gives it one, then run \`fed apply\`.`,
  });
}
