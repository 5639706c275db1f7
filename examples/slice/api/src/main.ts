import { createServer } from "node:http";
import { openApi } from "./api.ts";
import { migrate, openDatabase, untilReachable } from "./database.ts";
import { readSettings } from "./setting.ts";

const settings = readSettings(process.env);
const sql = openDatabase(settings.database);
const answer = openApi(sql, settings);
const server = createServer((request, response) => {
  // Once it is told to stop, a connection is closed with the answer under way, so that none is left waiting.
  if (!server.listening) response.setHeader("connection", "close");
  void answer(request, response);
});

async function start(): Promise<void> {
  await untilReachable(sql, 30_000);
  for (const name of await migrate(sql)) process.stdout.write(`migrated: ${name}\n`);
  server.listen(settings.port, settings.host, () => {
    process.stdout.write(`api listens on ${settings.host}:${settings.port}\n`);
  });
}

function fail(thrown: unknown): void {
  process.stderr.write(`api cannot start: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exit(1);
}

function stop(): void {
  process.stdout.write("api stops: finishing what is under way\n");
  server.close(async () => {
    await sql.end({ timeout: 5 });
    process.exit(0);
  });
  server.closeIdleConnections();
}

server.on("error", fail);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
start().catch(fail);
