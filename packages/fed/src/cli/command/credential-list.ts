import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { localTime } from "../moment.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["Names only: no value ever leaves the hub but to log in."],
  examples: [{ line: "fed credential list", says: "what the vault has, and for which machine" }],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { credentials } = await client.call(api.credentials, {}, signal);
    if (screen.json) screen.data(credentials);
    else if (credentials.length === 0) {
      screen.line("The vault is empty: fed credential set ssh-key --machine NAME --file FILE puts a key into it.");
    } else {
      screen.table({
        columns: [{ title: "CREDENTIAL" }, { title: "MACHINE" }, { title: "SET" }, { title: "BY" }, { title: "" }],
        rows: credentials.map(({ name, machine, setMs, setBy, lost }) => [
          { text: name, style: "strong" },
          machine ?? "all",
          { text: localTime(setMs), style: "dim" },
          { text: setBy, style: "dim" },
          { text: lost ? "its master key is lost" : "", style: "bad" },
        ]),
      });
    }
    return 0;
  },
});
