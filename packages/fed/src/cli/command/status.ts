import { systemClock } from "#base/clock.ts";
import { quoteWord } from "#port/quote.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { HubStatus } from "#wire/status.ts";
import { defineCommand } from "../command.ts";
import { showDiagnostics } from "../diagnostic.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { unusedLines } from "../kept-data.ts";
import { ageOf } from "../moment.ts";
import type { Screen } from "../print.ts";
import { statusTable } from "../status-table.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["Ends with 0 when every service is healthy and the hub can write and open its vault, with 3 when not."],
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
    if (!screen.json) await showUnused(client, status, screen, signal);
    if (status.rejected) {
      screen.line({ text: "The newest edit was refused; the lab above keeps running.", style: "warn" });
      showDiagnostics(screen, status.rejected.diagnostics, env.cwd);
    }
    if (status.diskFull) showDiskFull(screen, status.diskFull);
    if (status.damaged) showDamage(screen, status.damaged);
    if (status.vault) showVault(screen, status.vault);
    return status.ready && !status.diskFull && !status.damaged && !status.vault ? 0 : 3;
  },
});

async function showUnused(client: Client, status: HubStatus, screen: Screen, signal: AbortSignal): Promise<void> {
  const services = new Set(status.services.map(({ environment, service }) => `${environment}/${service}`));
  const lines = await unusedLines(client, services, signal);
  if (lines.length > 0) screen.line({ text: "Data that the lab no longer names is kept:", style: "strong" });
  for (const line of lines) screen.line(line);
}

function showDiskFull(screen: Screen, { folder, sinceMs, refused }: NonNullable<HubStatus["diskFull"]>): void {
  const [age, changes] = [ageOf(sinceMs, systemClock.nowMs()), refused === 1 ? "change was" : "changes were"];
  screen.line(
    { text: `The disk has been full for ${age}`, style: "bad" },
    `: what runs goes on, ${refused} ${changes} refused. Make room, and the hub goes on by itself: df -h ${quoteWord(folder)}`,
  );
}

function showDamage(screen: Screen, { message, hint }: NonNullable<HubStatus["damaged"]>): void {
  screen.line({ text: `Nothing is written any more: ${message}`, style: "bad" });
  for (const line of hint.split("\n")) screen.line(line);
}

function showVault(screen: Screen, { message, hint }: NonNullable<HubStatus["vault"]>): void {
  screen.line({ text: `${message[0]?.toUpperCase()}${message.slice(1)}`, style: "bad" });
  screen.line(hint);
}
