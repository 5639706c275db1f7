import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import type { Shell } from "#port/shell.ts";
import type { CaddyAdmin } from "./admin.ts";
import type { Wanted } from "./config.ts";
import { makeConfigure } from "./configure.ts";
import type { Json } from "./json.ts";

const never = new AbortController().signal;
const wanted: Wanted = {
  ...{ folder: "/run/fed-caddy", seats: 6, keepsStreams: true, settleMs: 300, turn: "one" },
  ...{ listen: { http: ":80", https: ":443" }, certificates: [], acme: {}, routes: [], leaving: [] },
  isLocal: () => true,
};

const nobody = async (): Promise<never> => {
  throw new Fault("unreachable", "nobody is there");
};

/** A Caddy that takes a configuration, though whoever gave it hears that somebody was faster: his second try comes too late. */
function deafCaddy(): CaddyAdmin {
  let config: Json = {};
  return {
    read: async () => ({ config, tag: JSON.stringify(config) }),
    async replace(next) {
      config = next;
      return false;
    },
    ...{ understands: nobody, inFlight: nobody, ask: nobody },
  };
}

test("a change that was made though its answer was lost counts as new, and what there was before does not", async () => {
  const shell = { name: "test", forward: nobody } as unknown as Shell;
  const configure = makeConfigure(deafCaddy(), shell, handClock());
  expect(await configure.towards(wanted, never)).toEqual({ turn: "one", isNew: true });
  expect(await configure.towards({ ...wanted, turn: "two" }, never)).toEqual({ turn: "one", isNew: false });
});
