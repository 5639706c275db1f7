/**
 * Finds the lines that our scripts say in between what commands say. Such a line begins with a mark that no command knows, and may
 * stand right behind a command's last byte.
 */
export interface MarkReader {
  /** From now on this is the mark; undefined: there is none any more. */
  expect(mark: string | undefined): void;
  push(bytes: Buffer): void;
}

/** More than any line of ours. */
const lineBytes = 64;

/**
 * `onBytes` is called with what stands between marks, `onMark` with the rest of a mark's line, without its end; it may expect another
 * mark for what follows. Throws for a line that we cannot have said.
 */
export function makeMarkReader(onBytes: (bytes: Buffer) => void, onMark: (rest: string) => void): MarkReader {
  let mark: Buffer | undefined;
  /** What may be the beginning of a mark, or is one whose line has not ended. */
  let kept: Buffer = Buffer.alloc(0);

  function step(data: Buffer): Buffer | undefined {
    if (mark === undefined) {
      onBytes(data);
      return undefined;
    }
    const at = data.indexOf(mark);
    if (at < 0) {
      const safe = data.length - overlap(data, mark);
      if (safe > 0) onBytes(data.subarray(0, safe));
      kept = own(data.subarray(safe));
      return undefined;
    }
    if (at > 0) onBytes(data.subarray(0, at));
    const end = data.indexOf(10, at + mark.length);
    if (end < 0) {
      if (data.length - at > lineBytes) throw new Error("it says a line that our script does not");
      kept = own(data.subarray(at));
      return undefined;
    }
    if (end - at > lineBytes) throw new Error("it says a line that our script does not");
    onMark(data.toString("latin1", at + mark.length, end).trim());
    return data.subarray(end + 1);
  }

  return {
    expect(next) {
      mark = next === undefined ? undefined : own(Buffer.from(next, "latin1"));
    },
    push(bytes) {
      let data: Buffer | undefined = kept.length > 0 ? Buffer.concat([kept, bytes]) : bytes;
      kept = Buffer.alloc(0);
      while (data !== undefined && data.length > 0) data = step(data);
    },
  };
}

/** With memory of its own: a part keeps all of what it is a part of, and this may live for days. */
function own(part: Buffer): Buffer {
  return Buffer.from(new Uint8Array(part).buffer);
}

/** How many bytes at the end of the data are the beginning of the mark. */
function overlap(data: Buffer, mark: Buffer): number {
  for (let size = Math.min(data.length, mark.length - 1); size > 0; size--) {
    if (data.subarray(data.length - size).equals(mark.subarray(0, size))) return size;
  }
  return 0;
}
