import { Fault, isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { wayByLogin } from "../hub-client.ts";
import { hubOf } from "../hub-flags.ts";
import { openLoginStore } from "../login-store.ts";
import { clientOf } from "../way.ts";

export const command = defineCommand({
  args: {
    url: { kind: "url", optional: true, description: "Address of the hub; FED_HUB or the last one when left out" },
  },
  flags: {},
  details: [
    "Ends the session at the hub and forgets it here. When the hub does not answer it is forgotten all the same.",
  ],
  examples: [{ line: "fed logout", says: "sign out at the hub signed in at last" }],
  async run({ args, env, screen, signal }) {
    const logins = openLoginStore(env.configFolder);
    const url = args.url ?? hubOf(env) ?? (await logins.last());
    const name = url === undefined ? undefined : await logins.nameAt(url);
    if (url === undefined || name === undefined) {
      throw new Fault("missing", url === undefined ? "nobody is signed in here" : `nobody is signed in at ${url}`, {
        hint: "fed login URL signs in.",
      });
    }
    try {
      await clientOf(() => wayByLogin(logins, url, signal)).call(api.logout, {}, signal);
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      if (thrown.code !== "unauthenticated") {
        screen.note({ text: "warning: ", style: "warn" }, `${thrown.message}; the session there ends by itself`);
      }
    }
    await logins.remove(url);
    if (screen.json) screen.data({ url, name });
    screen.line(`signed out at ${url}`);
    return 0;
  },
});
