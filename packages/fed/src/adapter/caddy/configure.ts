import { type Clock, sleep } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Shell } from "#port/shell.ts";
import type { CaddyAdmin } from "./admin.ts";
import { isWild, newAddresses, splitAddress, turnOf, type Wanted, withFed } from "./config.ts";
import { limit } from "./limit.ts";
import { explainRefusal, inUse } from "./refusal.ts";

export interface Configure {
  /**
   * Makes Caddy's configuration contain what is wanted; it is changed only when it does not. Tells the turn that holds then. Faults as
   * `apply` of the port.
   */
  towards(wanted: Wanted, signal: AbortSignal): Promise<{ readonly turn: string; readonly isNew: boolean }>;
  /** Caddy closes the ports of an earlier configuration a moment after it has taken the next one. */
  untilClosed(ports: readonly number[], signal: AbortSignal): Promise<void>;
}

/** A place on Caddy's machine, as seen there. */
interface Place {
  readonly host: string;
  readonly port: number;
}

export function makeConfigure(admin: CaddyAdmin, shell: Shell, clock: Clock): Configure {
  async function answers(place: Place, signal: AbortSignal): Promise<boolean> {
    try {
      (await shell.forward({ kind: "tcp", ...place }, signal)).destroy();
      return true;
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      return false;
    }
  }

  /** One try; undefined when it has to be made again. */
  async function change(
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<{ readonly turn: string; readonly isNew: boolean } | undefined> {
    const { config, tag } = await admin.read(signal);
    const next = withFed(config, wanted);
    if (next === undefined) {
      const turn = turnOf(config) ?? "";
      // One that was cut off may have been taken all the same.
      return { turn, isNew: turn === wanted.turn };
    }
    // Caddy would notice, too, but one before 2.7 leaves half of a configuration running that it cannot take as a whole.
    for (const address of newAddresses(config, next)) {
      if (await answers(placeOf(address), signal)) throw inUse(splitAddress(address).port, wanted.routes);
    }
    try {
      return (await admin.replace(next, tag, signal)) ? { turn: wanted.turn, isNew: true } : undefined;
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code !== "invalid") throw thrown;
      throw explainRefusal(thrown, wanted.routes);
    }
  }

  return {
    async towards(wanted, signal) {
      for (let tries = 0; tries < limit.changes; tries++) {
        const done = await change(wanted, signal);
        if (done !== undefined) return done;
      }
      throw new Fault("conflict", `the configuration of Caddy (${shell.name}) is changed by others all the time`, {
        hint: "See what else writes to Caddy's admin API.",
      });
    },
    async untilClosed(ports, signal) {
      for (const port of ports) {
        const place = { host: "127.0.0.1", port };
        for (let looks = 0; looks < limit.looks && (await answers(place, signal)); looks++) {
          await sleep(clock, limit.lookMs, signal);
        }
      }
    },
  };
}

/** Where to ask what listens on an address as Caddy writes it, on the machine itself. */
export function placeOf(address: string): Place {
  const { host, port } = splitAddress(address);
  return { host: isWild(host) ? "127.0.0.1" : host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
