/**
 * What is released under load, as a process and in a container: says its version and how many bytes it was sent, in the ways that the
 * path asks for, and speaks WebSocket. Asked to end it tells its WebSockets and ends what it has begun. It runs alone, without the
 * repository.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const { PORT = "8080", HOST = "0.0.0.0", VERSION = "0" } = process.env;
const sockets = new Set<Socket>();

const server = createServer(async (request, response) => {
  let sizeBytes = 0;
  for await (const chunk of request) sizeBytes += chunk.length;
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
  const answer = `${VERSION} ${sizeBytes}`.padEnd(Number(searchParams.get("bytes") ?? 0));
  const ms = Number(searchParams.get("ms") ?? 0);
  // Late: its head is long in coming. Slow: its head comes at once, what it says by and by.
  if (pathname === "/late") await pause(ms);
  if (pathname === "/slow") {
    for (const letter of answer) {
      response.write(letter);
      await pause(ms / answer.length);
    }
    response.end();
  } else response.end(answer);
}).on("error", () => process.exit(1));

function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

/** Frames of at most 125 bytes, as clients send them. */
function* framesOf(
  bytes: Buffer,
): Generator<{ readonly opcode: number; readonly payload: Buffer; readonly end: number }> {
  for (let at = 0; bytes.length >= at + 6; ) {
    const end = at + 6 + ((bytes[at + 1] ?? 0) & 0x7f);
    if (bytes.length < end) return;
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = Buffer.from(bytes.subarray(at + 6, end).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
    yield { opcode: (bytes[at] ?? 0) & 0x0f, payload, end };
    at = end;
  }
}

server.on("upgrade", (request, socket: Socket) => {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
  sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
  socket.on("end", () => socket.end());
  let kept = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]);
    let done = 0;
    for (const { opcode, payload, end } of framesOf(kept)) {
      done = end;
      if (opcode === 8) socket.end(frame(8, payload));
      else socket.write(frame(opcode, Buffer.from(`${VERSION} ${payload}`)));
    }
    kept = kept.subarray(done);
  });
});

process.once("SIGTERM", () => {
  server.close();
  const goingAway = Buffer.from([1001 >> 8, 1001 & 0xff]);
  for (const socket of sockets) socket.end(frame(8, goingAway));
});

server.listen(Number(PORT), HOST);
