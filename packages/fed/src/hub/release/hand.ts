import type { ByHand } from "#hub/service/wanted.ts";
import { rowOf } from "./deed.ts";
import { placeOfKey, requireResolved } from "./lab.ts";
import type { Ledger } from "./ledger.ts";
import { saveWanted } from "./store.ts";

/** Stop, start and scale: what somebody says of a service besides the lab. */
export function makeHands(ledger: Ledger): Omit<ByHand, "restart"> {
  return {
    stop: (key, origin) =>
      ledger.decide(origin, (deed) => {
        const row = rowOf(deed, placeOfKey(key));
        if (row.stopped) return;
        saveWanted(deed.tx, { ...row, stopped: true });
        deed.emit(`service:${key}`, { type: "service.stopAsked" });
      }),
    start: (key, origin) =>
      ledger.decide(origin, (deed) => {
        const row = rowOf(deed, placeOfKey(key));
        if (!row.stopped) return;
        saveWanted(deed.tx, { ...row, stopped: false });
        deed.emit(`service:${key}`, { type: "service.startAsked" });
      }),
    scale: (key, replicas, origin) =>
      ledger.decide(origin, (deed) => {
        const { replicas: labReplicas } = requireResolved(ledger.lab, placeOfKey(key));
        saveWanted(deed.tx, { ...rowOf(deed, placeOfKey(key)), replicas, labReplicas });
        deed.emit(`service:${key}`, { type: "service.scaled", ...(replicas === undefined ? {} : { replicas }) });
      }),
  };
}
