/** Where a stream of WebSocket frames (RFC 6455 5.2) is: a frame of our own may only go between two others. */
export interface FrameTrack {
  /** Takes what passes, or only the rest of the frame that is on its way; answers how much that was. */
  take(bytes: Buffer, restOnly?: boolean): number;
  /** No frame is on its way. */
  readonly between: boolean;
  /** A close frame has come: none may follow. */
  readonly closed: boolean;
}

const closeOpcode = 8;

export function trackFrames(): FrameTrack {
  /** Bytes of a head that is not complete. */
  const head: number[] = [];
  let leftBytes = 0;
  let closed = false;
  const between = () => head.length === 0 && leftBytes === 0;
  return {
    take(bytes, restOnly = false) {
      let at = 0;
      while (at < bytes.length && !(restOnly && between())) {
        if (leftBytes > 0) {
          const passing = Math.min(leftBytes, bytes.length - at);
          leftBytes -= passing;
          at += passing;
          continue;
        }
        head.push(bytes[at++] ?? 0);
        if (head.length < headBytes(head)) continue;
        closed ||= ((head[0] ?? 0) & 0x0f) === closeOpcode;
        leftBytes = payloadBytes(head);
        head.length = 0;
      }
      return at;
    },
    get between() {
      return between();
    },
    get closed() {
      return closed;
    },
  };
}

function headBytes([, second]: readonly number[]): number {
  if (second === undefined) return 2;
  return 2 + lengthBytes(second) + (second & 0x80 ? 4 : 0);
}

function lengthBytes(second: number): number {
  const short = second & 0x7f;
  return short === 126 ? 2 : short === 127 ? 8 : 0;
}

function payloadBytes(head: readonly number[]): number {
  const second = head[1] ?? 0;
  const long = lengthBytes(second);
  return long === 0 ? second & 0x7f : head.slice(2, 2 + long).reduce((size, byte) => size * 256 + byte, 0);
}

const goingAway = [1001 >> 8, 1001 & 0xff];

/** Tells a client, or an instance, that its peer goes away (code 1001). What an instance gets is masked, as from a client. */
export const goodbye = {
  toClient: Buffer.from([0x80 | closeOpcode, goingAway.length, ...goingAway]),
  toInstance: Buffer.from([0x80 | closeOpcode, 0x80 | goingAway.length, 0, 0, 0, 0, ...goingAway]),
} as const;
