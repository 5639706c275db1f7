import { systemClock } from "#base/clock.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { showDiagnostics } from "../diagnostic.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { statusTable } from "../status-table.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["Ends with 0 when every service is healthy, with 3 when not."],
  examples: [
    { line: "fed status", says: "show the services of this machine's hub" },
    { line: "fed status --json", says: "print them as data" },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const status = await client.call(api.status, {}, signal);
    if (screen.json) screen.data(status);
    screen.line(
      { text: status.lab.name, style: "strong" },
      { text: `  ${status.lab.file}  ${status.lab.hash.slice(0, 12)}`, style: "dim" },
    );
    if (status.services.length === 0) screen.line("The lab has no services yet: add one to its `services`.");
    else screen.table(statusTable(status, systemClock.nowMs()));
    if (status.rejected) {
      screen.line({ text: "The newest edit was refused; the lab above keeps running.", style: "warn" });
      showDiagnostics(screen, status.rejected.diagnostics, env.cwd);
    }
    return status.ready ? 0 : 3;
  },
});
