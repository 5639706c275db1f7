// The starter's API: GET / answers JSON, GET /health says that it is ready. Node 20 or newer, no dependencies.
import { createServer } from "node:http";

const port = Number(process.env.PORT);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  process.stderr.write("PORT must be a port to listen on; fed sets it.\n");
  process.exit(2);
}

const startedAt = new Date();
let requests = 0;

const server = createServer((request, response) => {
  const [pathname] = (request.url ?? "/").split("?");
  // Once it is told to stop, a connection is closed with the answer under way, so that none is left waiting.
  if (!server.listening) response.setHeader("connection", "close");
  if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, { error: "Only GET here." });
  if (pathname === "/health") return answer(response, 200, { ok: true });
  if (pathname !== "/") return answer(response, 404, { error: `There is nothing at ${pathname}.` });
  requests += 1;
  answer(response, 200, {
    greeting: process.env.GREETING ?? "Hello",
    requests,
    process: process.pid,
    startedAt: startedAt.toISOString(),
  });
});

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}

server.on("error", (error) => {
  process.stderr.write(`api cannot listen on port ${port}: ${error.message}\n`);
  process.exit(1);
});

server.listen(port, "127.0.0.1", () => {
  process.stdout.write(`api listens on http://127.0.0.1:${port}\n`);
});

function stop() {
  process.stdout.write("api stops: no new connections, finishing what is under way\n");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

process.once("SIGTERM", stop);
process.once("SIGINT", stop);
