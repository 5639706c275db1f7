/**
 * The session that BuildKit wants of whoever builds. The engine is the client on it: it asks by gRPC who we are to a registry. Without
 * one a Dockerfile cannot begin with an image of a registry that hands out tokens, as Docker Hub does to everybody
 * (moby/buildkit #6744). We answer who the lab says that we are there, mostly nobody, and everything else that we do not have it.
 */
import { randomUUID } from "node:crypto";
import { request as send } from "node:http";
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";
import type { BuildRequest } from "#port/image.ts";
import { completeSocket } from "./client.ts";
import type { Dial } from "./dial.ts";

export interface BuildSession {
  /** For the build's query. */
  readonly id: string;
  close(): void;
}

const credentials = "/moby.filesync.v1.Auth/Credentials";
const health = "/grpc.health.v1.Health/Check";
/** `{ status: SERVING }` */
const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const unimplemented = "12";
/** Of a question. */
const mostBytes = 64 * 1024;

/** Over a connection of its own. Fault `unsupported` when the engine has no sessions. */
export async function openBuildSession(
  name: string,
  dial: Dial,
  logins: BuildRequest["logins"],
  signal: AbortSignal,
): Promise<BuildSession> {
  const id = randomUUID().replaceAll("-", "");
  const socket = completeSocket(await untilAborted(dial(signal), signal));
  try {
    await untilAborted(upgrade(name, socket, id), signal);
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
  const session = performServerHandshake(socket);
  serve(session, logins ?? {});
  return {
    id,
    close() {
      session.destroy();
      socket.destroy();
    },
  };
}

function upgrade(name: string, socket: Duplex, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = send({
      method: "POST",
      path: "/session",
      headers: {
        host: "engine",
        connection: "Upgrade",
        upgrade: "h2c",
        "x-docker-expose-session-uuid": id,
        "x-docker-expose-session-name": "fed",
        "x-docker-expose-session-sharedkey": "",
        "x-docker-expose-session-grpc-method": [credentials],
      },
      createConnection: () => socket,
    });
    const refuse = (why: string, cause?: unknown) =>
      reject(new Fault("unsupported", `${name} takes no session for a build: ${why}`, { cause }));
    sent.once("upgrade", (_, __, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve();
    });
    sent.once("response", (answer) => refuse(`status ${answer.statusCode}`));
    sent.once("error", (cause) => refuse("it broke off", cause));
    sent.end();
  });
}

function serve(session: ServerHttp2Session, logins: NonNullable<BuildRequest["logins"]>): void {
  session.on("error", () => {});
  session.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const path = headers[":path"];
    if (path === credentials) return void answerWho(stream, logins);
    stream.resume();
    if (path === health) answer(stream, serving);
    else stream.respond({ ...okay, "grpc-status": unimplemented }, { endStream: true });
  });
}

/** Who we are to the registry that is asked for: an empty message is nobody. */
async function answerWho(stream: ServerHttp2Stream, logins: NonNullable<BuildRequest["logins"]>): Promise<void> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of stream) {
      sizeBytes += chunk.length;
      if (sizeBytes > mostBytes) return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      chunks.push(chunk);
    }
  } catch {
    // It has broken off: nobody is there to answer.
    return;
  }
  const registry = registryAsked(Buffer.concat(chunks));
  const login = Object.hasOwn(logins, registry) ? logins[registry] : undefined;
  if (stream.closed) return;
  answer(stream, frame(login === undefined ? [] : [field(1, login.user), field(2, login.password)]));
}

/** Of a request: the first field of a message, which is a short text. */
function registryAsked(framed: Buffer): string {
  const sizeBytes = framed[6] ?? 0;
  const host = framed[5] === 0x0a && sizeBytes < 0x80 ? framed.toString("utf8", 7, 7 + sizeBytes) : "";
  return ["registry-1.docker.io", "index.docker.io"].includes(host) ? "docker.io" : host;
}

/** A text as a field of a message of Protocol Buffers. */
function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = [(number << 3) | 2];
  let size = bytes.length;
  for (; size >= 0x80; size >>>= 7) head.push((size & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, size]), bytes]);
}

/** A message of gRPC: not packed, its length, its fields. */
function frame(fields: readonly Buffer[]): Buffer {
  const message = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const okay = { ":status": 200, "content-type": "application/grpc" };

function answer(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond(okay, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(message);
}
