import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Pieces } from "#wire/handler.ts";
import { acceptedEncodings } from "./asset.ts";

/** Less is not worth it: it goes in one packet of the network anyway. */
const leastBytes = 1_024;
/** What is handed on at once of a text. */
const sliceLetters = 128 * 1_024;

/** An answer, with the first of its pieces in hand: what goes wrong before it is an answer of its own. */
export interface BegunBody {
  readonly first: Uint8Array;
  /** What follows; undefined for nothing. */
  readonly rest: AsyncIterator<Uint8Array> | undefined;
}

export async function beginBody(body: string | Uint8Array | Pieces): Promise<BegunBody> {
  if (body instanceof Uint8Array) return { first: body, rest: undefined };
  const pieces = typeof body === "string" ? slices(body) : body;
  const iterator = inTime(pieces);
  const { value: first = new Uint8Array(0), done } = await iterator.next();
  // The end may come right after it: then the length is known.
  const second = done === true ? undefined : await iterator.next();
  if (second === undefined || second.done === true) return { first, rest: undefined };
  return { first, rest: after(second.value, iterator) };
}

/**
 * Sends an answer piece by piece, packed for who takes it so: quickly rather than small (level 1), in a thread of its own. `Vary`
 * tells caches between that there are two of it.
 */
export function sendPacked(request: FastifyRequest, reply: FastifyReply, { first, rest }: BegunBody): FastifyReply {
  reply.header("vary", "accept-encoding");
  const packed = takesGzip(request) && (rest !== undefined || first.length >= leastBytes);
  if (rest === undefined && !packed) return reply.send(first);
  const source = Readable.from(after(first, rest ?? inTime([])), { objectMode: false });
  if (!packed) return reply.send(source);
  const packing = createGzip({ level: constants.Z_BEST_SPEED });
  // Either side that breaks off ends the other; a caller who has gone is told nothing.
  pipeline(source, packing).catch(() => undefined);
  return reply.header("content-encoding", "gzip").send(packing);
}

function takesGzip({ method, headers }: FastifyRequest): boolean {
  return method !== "HEAD" && acceptedEncodings(headers["accept-encoding"]).has("gzip");
}

async function* inTime(pieces: Pieces): AsyncGenerator<Uint8Array, undefined> {
  yield* pieces;
}

async function* after(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function* slices(text: string): Iterable<Uint8Array> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + sliceLetters);
    // The two halves of one letter stay together.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
    yield Buffer.from(text.slice(at, end));
    at = end;
  }
}
