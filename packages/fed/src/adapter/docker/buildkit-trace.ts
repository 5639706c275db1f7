/**
 * What BuildKit tells of a build: messages of its own API (`moby.buildkit.v1.StatusResponse`), of which we need few fields. See
 * moby/buildkit api/services/control/control.proto.
 */

export interface BuildStatus {
  readonly steps: readonly BuildStep[];
  readonly logs: readonly BuildLog[];
}

export interface BuildStep {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started: boolean;
  readonly ended: boolean;
  readonly error: string;
}

export interface BuildLog {
  readonly step: string;
  readonly text: string;
}

/** A message as the daemon sends it: base64 of a protocol buffer. What is not understood is left out. */
export function readBuildStatus(encoded: string): BuildStatus {
  const fields = readFields(Buffer.from(encoded, "base64"));
  return {
    steps: fields.flatMap(({ number, bytes }) => (number === 1 && bytes ? [readStep(bytes)] : [])),
    logs: fields.flatMap(({ number, bytes }) => (number === 3 && bytes ? [readLog(bytes)] : [])),
  };
}

function readStep(message: Buffer): BuildStep {
  const fields = readFields(message);
  const text = (wanted: number) => fields.find(({ number }) => number === wanted)?.bytes?.toString() ?? "";
  const has = (wanted: number) => fields.some(({ number }) => number === wanted);
  const cached = fields.some(({ number, value }) => number === 4 && value === 1);
  return { digest: text(1), name: text(3), cached, started: has(5), ended: has(6), error: text(7) };
}

function readLog(message: Buffer): BuildLog {
  const fields = readFields(message);
  const text = (wanted: number) => fields.find(({ number }) => number === wanted)?.bytes?.toString() ?? "";
  return { step: text(1), text: text(4) };
}

interface Field {
  readonly number: number;
  /** Of a varint. */
  readonly value?: number;
  /** Of a text, bytes or a message. */
  readonly bytes?: Buffer;
}

/** The fields of a message, as far as they can be read. */
function readFields(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let power = 1; at < message.length; power *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * power;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) fields.push({ number, value: varint() });
    else if (wire === 2) {
      const length = varint();
      fields.push({ number, bytes: message.subarray(at, at + length) });
      at += length;
    } else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else return fields;
  }
  return fields;
}
