import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { childController, untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { ExporterDoor, ScrapeFormat, ScrapeOutcome, ScrapeRequest } from "#port/exporter.ts";
import { plainWords, reasonOf } from "./reason.ts";

/** As Prometheus 3 asks, of the formats that are read here. */
const accept = [
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6",
  "application/openmetrics-text;version=0.0.1;q=0.5",
  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4",
  "text/plain;version=0.0.4;q=0.3",
  "*/*;q=0.2",
].join(",");

/** A connection that was not used for so long is not kept: an exporter that is asked every hour need not wait for us. */
const idleMs = 90_000;
/** What may be held of all answers that are under way: one sends 16 MiB at most, but there may be hundreds. */
const heldBytes = 128 * 1024 * 1024;

/** What an answer is found to be while it comes. Thrown here, and no farther. */
class Unanswered extends Error {}

interface House {
  readonly agents: { readonly "http:": HttpAgent; readonly "https:": HttpsAgent };
  readonly version: string;
  /** Bytes of answers that are under way. */
  held: number;
}

export function openExporterDoor({
  clock,
  version,
}: {
  readonly clock: Clock;
  /** Of fed. */
  readonly version: string;
}): ExporterDoor {
  const pool = { keepAlive: true, timeout: idleMs, maxFreeSockets: 512 };
  const house: House = {
    ...{ version, held: 0 },
    agents: { "http:": new HttpAgent(pool), "https:": new HttpsAgent(pool) },
  };
  const closing = new AbortController();
  return {
    name: "http",
    async fetch(request, signal) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const url = readUrl(request.url);
      const { controller, release } = childController(signal);
      const stop = () => controller.abort(closing.signal.reason);
      closing.signal.addEventListener("abort", stop);
      const late = new Unanswered(`no answer within ${request.timeoutMs / 1_000} s`);
      const timer = clock.after(request.timeoutMs, () => controller.abort(late));
      try {
        return await fetchOnce(house, url, request, controller.signal);
      } catch (thrown) {
        if (!(thrown instanceof Unanswered)) throw thrown;
        return { kind: "failed", reason: thrown.message };
      } finally {
        timer.cancel();
        closing.signal.removeEventListener("abort", stop);
        release();
      }
    },
    async close() {
      closing.abort(new Fault("unreachable", "exporters are not asked any more: the hub stops"));
      for (const agent of Object.values(house.agents)) agent.destroy();
    },
  };
}

function readUrl(text: string): URL & { readonly protocol: "http:" | "https:" } {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url as URL & { protocol: "http:" | "https:" };
  throw new Fault("invalid", `${JSON.stringify(text.slice(0, 200))} is no URL of an exporter`, {
    hint: "It begins with http:// or https://.",
  });
}

type Url = ReturnType<typeof readUrl>;

async function fetchOnce(
  house: House,
  url: Url,
  request: ScrapeRequest,
  signal: AbortSignal,
): Promise<Extract<ScrapeOutcome, { kind: "answered" }>> {
  const response = await ask(house, url, request, signal);
  try {
    const format = formatOf(response);
    const packed = isPacked(response);
    const body = await readBody(house, response, request.bytes, signal);
    return { kind: "answered", format, bytes: packed ? await unpack(body, request.bytes, signal) : body };
  } finally {
    // Of one that was read to its end this does nothing: its connection is kept.
    if (!response.complete) response.destroy();
  }
}

/** The head of an answer. The server may just close a connection that was kept: then a new one is made, once. */
function ask(house: House, url: Url, request: ScrapeRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { authorization, timeoutMs } = request;
  const headers = {
    ...{ accept, "accept-encoding": "gzip", "user-agent": `fed/${house.version}` },
    "x-prometheus-scrape-timeout-seconds": String(timeoutMs / 1_000),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const begin = url.protocol === "http:" ? httpRequest : httpsRequest;
  const fault = (error: unknown) => new Unanswered(error instanceof Error ? reasonOf(error, url.hostname) : "");
  return new Promise((resolve, reject) => {
    let isAgain = false;
    const start = () => {
      const asking = begin(url, { agent: house.agents[url.protocol], headers, signal });
      asking.once("response", resolve);
      asking.once("upgrade", (_response, socket) => {
        socket.destroy();
        reject(new Unanswered("it speaks another protocol"));
      });
      asking.on("error", (error) => {
        if (signal.aborted) return reject(signal.reason);
        const wasClosed = asking.reusedSocket && "code" in error && error.code === "ECONNRESET";
        if (!wasClosed || isAgain) return reject(fault(error));
        isAgain = true;
        start();
      });
      asking.end();
    };
    try {
      start();
    } catch (thrown) {
      // Node's own check of the headers.
      reject(fault(thrown));
    }
  });
}

function formatOf({ statusCode = 0, headers }: IncomingMessage): ScrapeFormat {
  if (statusCode >= 300 && statusCode < 400) {
    const to = headers.location === undefined ? "elsewhere" : `to ${plainWords(headers.location)}`;
    throw new Unanswered(`status ${statusCode}: it sends us ${to}, and no redirect is followed`);
  }
  if (statusCode !== 200) throw new Unanswered(`status ${statusCode}`);
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/openmetrics-text") return "openmetrics";
  if (type === "text/plain" || type === "") return "text";
  throw new Unanswered(`it answers with ${plainWords(type)}, which is no text of metrics`);
}

function isPacked({ headers }: IncomingMessage): boolean {
  const encoding = (headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding !== "" && encoding !== "identity" && encoding !== "gzip") {
    throw new Unanswered(`it answers in the encoding ${plainWords(encoding)}, which was not asked for`);
  }
  return encoding === "gzip";
}

async function readBody(
  house: House,
  response: IncomingMessage,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      house.held += part.length;
      if (bytes > most) throw tooMuch(most);
      if (house.held > heldBytes) throw new Unanswered("too many exporters send large answers at the same time");
      parts.push(part);
    }
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (thrown instanceof Unanswered) throw thrown;
    throw new Unanswered(thrown instanceof Error ? reasonOf(thrown, "") : "it broke off");
  } finally {
    house.held -= bytes;
  }
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

const gunzipInBackground = promisify(gunzip);

async function unpack(packed: Uint8Array, most: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await untilAborted(gunzipInBackground(packed, { maxOutputLength: most }), signal));
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    throw code === "ERR_BUFFER_TOO_LARGE" ? tooMuch(most) : new Unanswered("what it sends is no sound gzip");
  }
}

function tooMuch(most: number): Unanswered {
  return new Unanswered(`it sends more than ${Math.round(most / 1024 / 1024)} MiB`);
}
