import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { acceptedEncodings } from "./asset.ts";

/** Less is not worth it: it goes in one packet of the network anyway. */
const leastLetters = 1_024;
/** What is handed to the packing thread at once. */
const sliceLetters = 128 * 1_024;

/**
 * Sends a text, packed for who takes it so: quickly rather than small (level 1), in a thread of its own, slice by slice. `Vary`
 * tells caches between that there are two of it.
 */
export function sendPacked(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  reply.header("vary", "accept-encoding");
  if (text.length < leastLetters || !takesGzip(request)) return reply.send(text);
  const packing = createGzip({ level: constants.Z_BEST_SPEED });
  // A caller that goes ends both; there is nobody left to tell.
  pipeline(Readable.from(slices(text), { objectMode: false }), packing).catch(() => undefined);
  return reply.header("content-encoding", "gzip").send(packing);
}

function takesGzip({ method, headers }: FastifyRequest): boolean {
  return method !== "HEAD" && acceptedEncodings(headers["accept-encoding"]).has("gzip");
}

function* slices(text: string): Iterable<Buffer> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + sliceLetters);
    // The two halves of one letter stay together.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
    yield Buffer.from(text.slice(at, end));
    at = end;
  }
}
