import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Answer, Incoming } from "./message.ts";

/**
 * One request over HTTP/2 and its answer, as if it had come over HTTP/1.1. On the stream itself: Node's compatible request and
 * response are two more streams for each, and end every answer with a frame of its own, in case trailers come.
 */
export class Http2Call implements Incoming, Answer {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[], socket: Socket) {
    this.stream = stream;
    this.headers = headers;
    this.rawHeaders = plainHeaders(rawHeaders);
    this.socket = socket;
    headers.host = headers[":authority"] ?? headers.host;
    if (!stream.endAfterHeaders && headers["content-length"] === undefined) headers["transfer-encoding"] = "chunked";
    // It tells of a client that left, which its close tells too.
    stream.on("error", () => {});
  }

  get method(): string | undefined {
    return this.headers[":method"];
  }

  get url(): string | undefined {
    return this.headers[":path"];
  }

  get complete(): boolean {
    return this.stream.readableEnded || this.stream.closed || this.stream.destroyed;
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterable<unknown> {
    return this.stream.iterator(options);
  }

  resume(): void {
    this.stream.resume();
  }

  once(event: "close" | "drain", heard: () => void): void {
    this.stream.once(event, heard);
  }

  writeHead(status: number, _message: string, headers: readonly string[]): void {
    if (this.#isGone) return;
    const head = [":status", String(status), ...headers];
    // Only what has no length may have trailers behind it.
    this.stream.respond(head, { waitForTrailers: !hasLength(headers) });
  }

  writeContinue(): void {
    if (!this.#isGone) this.stream.additionalHeaders({ ":status": 100 });
  }

  /** The head is on its way once it is written. */
  flushHeaders(): void {}

  write(chunk: Buffer): boolean {
    return this.stream.writable ? this.stream.write(chunk) : !this.#isGone;
  }

  addTrailers(lines: readonly [string, string][]): void {
    const names = [...new Set(lines.map(([name]) => name))];
    const valuesOf = (name: string) => lines.flatMap((line) => (line[0] === name ? [line[1]] : []));
    const trailers = Object.fromEntries(names.map((name) => [name, valuesOf(name)]));
    this.stream.once("wantTrailers", () => this.stream.sendTrailers(trailers));
  }

  end(body?: string): void {
    if (body === undefined || !this.stream.writable) this.stream.end();
    else this.stream.end(body);
  }

  destroy(): void {
    this.stream.close(this.stream.writableFinished ? noError : internalError);
  }

  get #isGone(): boolean {
    return this.stream.closed || this.stream.destroyed;
  }
}

/** Of RST_STREAM: an answer that breaks off must not look complete; after a whole one no more of the request is wanted. */
const [noError, internalError] = [0, 2];

/** Without what only HTTP/2 has, and with one `Cookie` (RFC 9113 8.2.3). */
function plainHeaders(raw: readonly string[]): readonly string[] {
  const plain: string[] = [];
  let cookies = "";
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name === "cookie") cookies += cookies === "" ? value : `; ${value}`;
    else if (!name.startsWith(":")) plain.push(name, value);
  }
  if (cookies !== "") plain.push("cookie", cookies);
  return plain;
}

function hasLength(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 14 && name.toLowerCase() === "content-length") return true;
  }
  return false;
}
