import { randomBytes } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Place } from "../../../packages/fed/src/port/ingress.scene.ts";

/** A client of WebSockets that tells exactly how one ended. */

export interface Talk {
  /** Says it and resolves to the answer; to undefined when the connection ends before. */
  say(words: string): Promise<string | undefined>;
  /** How it ended: the code of the close frame, or that there was none ("cut off", an error's code). */
  readonly ended: Promise<number | string>;
  /** Asks to end it, and waits until it has. */
  close(): Promise<number | string>;
}

/** Connects as a browser does; rejects when it is answered by anything but an upgrade. */
export async function openTalk(place: Place, host: string): Promise<Talk> {
  const headers = {
    ...{ Host: host, Connection: "Upgrade", Upgrade: "websocket" },
    ...{ "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64") },
  };
  const outgoing = request({ ...place, path: "/talk", headers, agent: false, setHost: false });
  const [socket, first] = await new Promise<readonly [Socket, Buffer]>((resolve, reject) => {
    outgoing.once("upgrade", (_, connection: Socket, head) => resolve([connection, head]));
    outgoing.once("response", (answer: IncomingMessage) => {
      reject(new Error(`status ${answer.statusCode} to an upgrade`));
      answer.destroy();
    });
    outgoing.once("error", reject).end();
  });
  return speak(socket, first);
}

function speak(socket: Socket, first: Buffer): Talk {
  let kept: Buffer = first;
  let code: number | string = "cut off";
  let answered: ((text: string | undefined) => void) | undefined;
  const ended = new Promise<number | string>((resolve) => {
    socket.once("close", () => {
      answered?.(undefined);
      resolve(code);
    });
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (typeof code === "string") code = error.code ?? error.message;
  });
  socket.on("end", () => socket.end());
  const read = () => {
    while (kept.length >= 2) {
      const end = 2 + ((kept[1] ?? 0) & 0x7f);
      if (kept.length < end) return;
      const [opcode, payload] = [(kept[0] ?? 0) & 0x0f, kept.subarray(2, end)];
      kept = kept.subarray(end);
      if (opcode === 8) {
        code = payload.length >= 2 ? payload.readUInt16BE() : 1005;
        socket.end(maskedFrame(8, payload));
      } else answered?.(payload.toString());
    }
  };
  socket.on("data", (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]);
    read();
  });
  read();
  return {
    ended,
    say: (words) =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve(undefined);
        answered = resolve;
        socket.write(maskedFrame(1, Buffer.from(words)));
      }),
    close() {
      socket.write(maskedFrame(8, Buffer.from([1000 >> 8, 1000 & 0xff])));
      return ended;
    },
  };
}

/** Of at most 125 bytes. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}
