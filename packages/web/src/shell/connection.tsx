import { type Connection, useConnection } from "../live.ts";
import { StateDot } from "../view/badge.tsx";
import type { Look } from "../view/tone.ts";

const looks: Readonly<Record<Connection, Look>> = {
  connecting: { word: "connecting", tone: "info", moving: true },
  live: { word: "live", tone: "good" },
  reconnecting: { word: "reconnecting", tone: "warn", moving: true },
  signedOut: { word: "signed out", tone: "idle" },
};

/** Whether what is shown is what is. */
export function ConnectionMark() {
  const connection = useConnection();
  return (
    <output aria-label="Connection to the hub" className="px-2 text-small">
      <StateDot look={looks[connection]} />
    </output>
  );
}
