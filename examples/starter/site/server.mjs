// The starter's site: a page that shows what the API said. Node 20 or newer, no dependencies.
import { createServer } from "node:http";
import { renderPage } from "./page.mjs";

const port = Number(process.env.PORT);
const apiUrl = process.env.API_URL;
if (!Number.isInteger(port) || port < 1 || port > 65535 || !apiUrl) {
  process.stderr.write("PORT must be a port to listen on and API_URL the address of the API; fed sets both.\n");
  process.exit(2);
}

/** What the API says now, or why it says nothing: never throws. */
async function askApi() {
  const began = performance.now();
  try {
    const response = await fetch(apiUrl, { signal: AbortSignal.timeout(2000) });
    if (!response.ok) return { kind: "away", reason: `It answered with status ${response.status}.` };
    return { kind: "here", said: await response.json(), tookMs: Math.round(performance.now() - began) };
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    return { kind: "away", reason: late ? "It did not answer within two seconds." : "It could not be reached." };
  }
}

const server = createServer(async (request, response) => {
  const [pathname] = (request.url ?? "/").split("?");
  // Once it is told to stop, a connection is closed with the answer under way, so that none is left waiting.
  if (!server.listening) response.setHeader("connection", "close");
  if (request.method !== "GET" && request.method !== "HEAD")
    return answer(response, 405, "text/plain", "Only GET here.\n");
  if (pathname === "/health") return answer(response, 200, "text/plain", "ok\n");
  if (pathname !== "/") return answer(response, 404, "text/plain", `There is nothing at ${pathname}.\n`);
  const api = await askApi();
  if (!server.listening) response.setHeader("connection", "close");
  answer(response, 200, "text/html", renderPage(api));
});

function answer(response, status, type, body) {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" });
  response.end(body);
}

server.on("error", (error) => {
  process.stderr.write(`site cannot listen on port ${port}: ${error.message}\n`);
  process.exit(1);
});

server.listen(port, "127.0.0.1", () => {
  process.stdout.write(`site listens on http://127.0.0.1:${port}, the API is at ${apiUrl}\n`);
});

function stop() {
  process.stdout.write("site stops: no new connections, finishing what is under way\n");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

process.once("SIGTERM", stop);
process.once("SIGINT", stop);
