import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** A request as it came in, over HTTP/1.1 or HTTP/2. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
  /** With `host`, also where HTTP/2 says `:authority`. */
  readonly headers: IncomingHttpHeaders;
  /** Of the connection, which may carry others. */
  readonly socket: Pick<Socket, "remoteAddress" | "localPort">;
  /** Nothing more of it will come. */
  readonly complete: boolean;
  /** HTTP/2 only. Closed before its body has ended: what there is of the body is not the whole, though it ends like one. */
  readonly stream?: { readonly closed: boolean };
  /** Its body. */
  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterable<unknown>;
  resume(): unknown;
  /** Ends it and its answer; over HTTP/1.1 with the connection. */
  destroy(): unknown;
  once(event: "close", heard: () => void): unknown;
}

/** The answer to a client, over HTTP/1.1 or HTTP/2. */
export interface Answer {
  readonly headersSent: boolean;
  /** `headers`: name, value, name, value. HTTP/2 has no place for the message. */
  writeHead(status: number, message: string, headers: string[]): unknown;
  writeContinue(): void;
  flushHeaders(): void;
  /** False: no more until `drain`. */
  write(chunk: Buffer): boolean;
  addTrailers(lines: readonly [string, string][]): void;
  end(body?: string): unknown;
  destroy(): unknown;
  once(event: "close" | "drain", heard: () => void): unknown;
}

/** Whether the connection came over TLS. */
export function isSecure(socket: Pick<Socket, "remoteAddress">): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true;
}
