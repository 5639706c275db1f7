import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { HostKey, HostKeyVerdict } from "#port/shell.ts";
import type { WireMachine } from "#wire/machine.ts";
import { deleteHostKeys, replaceHostKeys, selectHostKeys } from "./store.ts";
import { isSameKey, judge, type KnownHost, unknownHost } from "./trust.ts";

export interface TrustNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Something people see has changed. */
  onChange(): void;
}

/** The keys by which SSH knows machines: the first one a machine shows is pinned, and another one refused until somebody accepts it. */
export interface Trust {
  /** For the handshake: does not wait, and does not throw when the disk is full. */
  checkHostKey(machine: string, address: string, key: HostKey): HostKeyVerdict;
  /** For the handshake as well: a machine with several keys is asked for one of these. */
  knownHostKeys(machine: string): readonly HostKey[];
  /** The other key that a machine shows now; undefined while it is the machine it was. */
  offeredBy(machine: string): WireMachine["hostKey"];
  /** Fault `missing` when the machine shows no other key, `conflict` when it shows another one than the caller compared. */
  accept(origin: Origin, machine: string, fingerprint: string): void;
  close(): void;
}

/** A host whose first key could not be written yet, and the other keys of it that were told. */
interface Host {
  known: KnownHost;
  unwritten: boolean;
  readonly told: Set<string>;
}

/** Somebody who shows a new key at each connection fills no log. */
const mostTold = 16;

export function openTrust(needs: TrustNeeds): Trust {
  const { db, events, clock } = needs;
  const hosts = readHosts(db);
  const hostOf = (machine: string): Host => {
    const host = hosts.get(machine) ?? { known: unknownHost, unwritten: false, told: new Set<string>() };
    hosts.set(machine, host);
    return host;
  };
  /** What happens at a machine cannot be refused: what finds no room on the disk is written at the next handshake. */
  const record = (work: (tx: Tx, emit: Emit) => void): boolean => {
    try {
      events.deed(hubOrigin(clock), work);
      return true;
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code === "internal") throw thrown;
      return false;
    }
  };

  function pin(machine: string, host: Host, key: HostKey) {
    host.unwritten = !record((tx, emit) => {
      replaceHostKeys(tx, machine, "trusted", [key], clock.nowMs());
      emit(`machine:${machine}`, { type: "machine.keyTrusted", ...said(key), first: true });
    });
  }

  function offer(machine: string, host: Host, key: HostKey) {
    const { trusted, offered } = host.known;
    if (offered && isSameKey(offered.key, key) && host.told.has(key.fingerprint)) return;
    const sinceMs = offered && isSameKey(offered.key, key) ? offered.sinceMs : clock.nowMs();
    host.known = { ...host.known, offered: { key, sinceMs } };
    const isNews = !host.told.has(key.fingerprint) && host.told.size < mostTold;
    const known = trusted.map(({ fingerprint }) => fingerprint).join(", ");
    const written = record((tx, emit) => {
      replaceHostKeys(tx, machine, "offered", [key], sinceMs);
      if (isNews) emit(`machine:${machine}`, { type: "machine.keyChanged", ...said(key), known });
    });
    if (written && isNews) host.told.add(key.fingerprint);
    needs.onChange();
  }

  function seen(machine: string, host: Host, key: HostKey) {
    if (host.unwritten) pin(machine, host, key);
    const { offered, trusted } = host.known;
    host.known = { ...unknownHost, trusted };
    if (offered === undefined) return;
    record((tx) => replaceHostKeys(tx, machine, "offered", [], clock.nowMs()));
    needs.onChange();
  }

  const stopListening = events.listen(({ type, subject }) => {
    if (type !== "machine.removed") return;
    const machine = subject.slice("machine:".length);
    if (hosts.delete(machine)) record((tx) => deleteHostKeys(tx, machine));
  });

  return {
    checkHostKey(machine, _address, shown) {
      const key = { type: shown.type, fingerprint: shown.fingerprint };
      const host = hostOf(machine);
      const judgement = judge(host.known, key);
      if (judgement === "first") {
        host.known = { ...unknownHost, trusted: [key] };
        pin(machine, host, key);
      } else if (judgement === "trusted") seen(machine, host, key);
      else {
        offer(machine, host, key);
        return { kind: "changed", known: host.known.trusted };
      }
      return { kind: "trusted" };
    },
    knownHostKeys: (machine) => hosts.get(machine)?.known.trusted ?? [],
    offeredBy(machine) {
      const { trusted, offered } = hosts.get(machine)?.known ?? unknownHost;
      return offered && { known: [...trusted], offered: offered.key, sinceMs: offered.sinceMs };
    },
    accept(origin, machine, fingerprint) {
      const host = hosts.get(machine);
      const { key } = requireOffered(host?.known, machine, fingerprint);
      events.deed(origin, (tx, emit) => {
        replaceHostKeys(tx, machine, "trusted", [key], clock.nowMs());
        replaceHostKeys(tx, machine, "offered", [], clock.nowMs());
        emit(`machine:${machine}`, { type: "machine.keyTrusted", ...said(key), first: false });
      });
      hosts.set(machine, { known: { ...unknownHost, trusted: [key] }, unwritten: false, told: new Set() });
      needs.onChange();
    },
    close: stopListening,
  };
}

/** As events have a key: their `type` is what happened. */
const said = ({ type, fingerprint }: HostKey) => ({ keyType: type, fingerprint });

function requireOffered(known: KnownHost | undefined, machine: string, fingerprint: string) {
  if (known?.offered === undefined) {
    throw new Fault("missing", `${machine} shows no other key than the one it is known by`, {
      hint: known ? "There is nothing to accept." : "It was never reached by SSH: the first key it shows is taken.",
    });
  }
  if (known.offered.key.fingerprint === fingerprint) return known.offered;
  throw new Fault("conflict", `${machine} shows another key now than the one you compared`, {
    hint: `It shows ${known.offered.key.fingerprint}: compare that one with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub).`,
  });
}

/** As the hub before left it; what was told of them was told by that one. */
function readHosts(db: Database): Map<string, Host> {
  const hosts = new Map<string, Host>();
  for (const { machine, state, sinceMs, type, fingerprint } of selectHostKeys(db)) {
    const host = hosts.get(machine) ?? { known: unknownHost, unwritten: false, told: new Set<string>() };
    const key = { type, fingerprint };
    if (state === "trusted") host.known = { ...host.known, trusted: [...host.known.trusted, key] };
    else {
      host.known = { ...host.known, offered: { key, sinceMs } };
      host.told.add(fingerprint);
    }
    hosts.set(machine, host);
  }
  return hosts;
}
