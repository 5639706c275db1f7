// Hands out the built page, and passes on what begins with /api/ to the API: for the browser both are one site.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { pipeline } from "node:stream";

const { PORT = "", HOST = "127.0.0.1", API_URL = "" } = process.env;
if (!/^\d+$/.test(PORT) || !URL.canParse(API_URL)) {
  process.stderr.write("PORT must be a port to listen on and API_URL the address of the API; fed sets both.\n");
  process.exit(2);
}
const api = new URL(API_URL);
const dist = join(import.meta.dirname, "dist");
const apiTimeoutMs = 30_000;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const policy = {
  "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
};
/** Of one connection alone: not passed on. */
const ofConnection = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

function headersOf(message: IncomingMessage): Record<string, string | string[]> {
  const kept = Object.entries(message.headers).filter(([name]) => !ofConnection.has(name));
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const { hostname, port } = api;
  const { method = "GET", url: path = "/" } = request;
  const away = () => {
    if (response.headersSent) response.destroy();
    else answer(response, 502, JSON.stringify({ error: "The API does not answer. Try again in a moment." }));
  };
  const options = { hostname, port, method, path, headers: headersOf(request), timeout: apiTimeoutMs };
  const passed = ask(options, (answered) => {
    const closing = server.listening ? {} : { connection: "close" };
    response.writeHead(answered.statusCode ?? 502, { ...headersOf(answered), ...closing });
    pipeline(answered, response, () => {});
  });
  passed.on("timeout", () => passed.destroy());
  passed.on("error", away);
  response.on("close", () => passed.destroy());
  request.pipe(passed);
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(body);
}

/** The file of a path; the page itself for what is none. */
async function fileOf(path: string): Promise<string> {
  const file = join(dist, normalize(`/${path}`));
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? file : join(dist, "index.html");
}

async function handOut(path: string, response: ServerResponse): Promise<void> {
  const file = await fileOf(path);
  // The names of built files change with their content.
  const cache = file.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  const stream = createReadStream(file);
  stream.once("error", () => answer(response, 500, JSON.stringify({ error: "Run npm run build first." })));
  stream.once("open", () => {
    response.writeHead(200, { "content-type": types[extname(file)] ?? "", "cache-control": cache, ...policy });
    pipeline(stream, response, () => {});
  });
}

const server = createServer((request, response) => {
  const [path = "/"] = (request.url ?? "/").split("?");
  // Once it is told to stop, a connection is closed with the answer under way, so that none is left waiting.
  if (!server.listening) response.setHeader("connection", "close");
  if (path === "/health") answer(response, 200, JSON.stringify({ healthy: true }));
  else if (path.startsWith("/api/")) passOn(request, response);
  else if (request.method !== "GET" && request.method !== "HEAD") answer(response, 405, "{}");
  else void handOut(path, response);
});

server.on("error", (error) => {
  process.stderr.write(`web cannot listen on port ${PORT}: ${error.message}\n`);
  process.exit(1);
});
server.listen(Number(PORT), HOST, () => process.stdout.write(`web listens on ${HOST}:${PORT}\n`));

function stop(): void {
  process.stdout.write("web stops: finishing what is under way\n");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

process.once("SIGTERM", stop);
process.once("SIGINT", stop);
