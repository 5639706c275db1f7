import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { Http2Call } from "./http2-call.ts";
import { limit } from "./limit.ts";
import type { Answer, Incoming } from "./message.ts";

/** The connections that speak HTTP/2; they come from the listener for TLS. */
export interface Http2Sessions {
  enter(socket: TLSSocket): void;
  /** Tells every client to ask nothing more here; what is open goes on. */
  finish(): void;
  cut(): void;
}

const sessionOptions = {
  maxSessionMemory: limit.sessionMemoryMb,
  // What an instance sends twice goes through twice, as over HTTP/1.1.
  strictSingleValueFields: false,
  settings: {
    maxConcurrentStreams: limit.sessionStreams,
    maxHeaderListSize: limit.headerSizeBytes,
    initialWindowSize: limit.streamWindowBytes,
  },
};

/** `take` gets each request as if it had come over HTTP/1.1. WebSockets are not offered (RFC 8441): clients open HTTP/1.1 for them. */
export function makeHttp2Sessions(
  take: (request: Incoming, answer: Answer, continueDue: boolean) => void,
): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  let finishing = false;

  function enter(socket: TLSSocket): void {
    const session = performServerHandshake(socket, sessionOptions);
    sessions.add(session);
    let open = 0;
    const leave = () => void open--;
    session.on("stream", (stream: ServerHttp2Stream, headers, _flags, rawHeaders: string[]) => {
      open++;
      stream.once("close", leave);
      const call = new Http2Call(stream, headers, rawHeaders, socket);
      const { expect } = headers;
      if (expect === undefined || expect === "100-continue") take(call, call, expect !== undefined);
      else stream.respond({ ":status": 417 }, { endStream: true });
    });
    // Of a connection that broke; its close tells all there is to tell.
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
    session.setTimeout(limit.clientIdleMs, () => {
      if (open === 0) session.close();
    });
    if (finishing) session.close();
  }

  return {
    enter,
    finish() {
      finishing = true;
      for (const session of sessions) session.close();
    },
    cut() {
      for (const session of sessions) session.destroy();
    },
  };
}
