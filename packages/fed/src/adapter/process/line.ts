/** Bytes to lines of text. */

const lineLimitBytes = 64 * 1024;

export interface LineSplitter {
  /** The lines completed by these bytes, without their ends. */
  push(bytes: Buffer): readonly string[];
  /** The last line, if it did not end. */
  end(): readonly string[];
}

/** Bytes that are not UTF-8 become U+FFFD; of a line longer than the limit the beginning is kept, and marked. */
export function makeLineSplitter(limitBytes = lineLimitBytes): LineSplitter {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let dropped = 0;
  const add = (bytes: Buffer) => {
    const room = bytes.subarray(0, limitBytes - sizeBytes);
    if (room.length > 0) parts.push(Buffer.from(room));
    sizeBytes += room.length;
    dropped += bytes.length - room.length;
  };
  const take = () => {
    const bytes = Buffer.concat(parts);
    const text = dropped > 0 ? `${wholeText(bytes)} … [${dropped} more bytes in this line]` : bytes.toString("utf8");
    parts = [];
    sizeBytes = 0;
    dropped = 0;
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  };
  return {
    push(bytes) {
      const lines: string[] = [];
      let from = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        add(bytes.subarray(from, at));
        lines.push(take());
        from = at + 1;
      }
      add(bytes.subarray(from));
      return lines;
    },
    end: () => (sizeBytes > 0 ? [take()] : []),
  };
}

/** The text without a character cut in two at its end. */
function wholeText(bytes: Buffer): string {
  let end = bytes.length;
  for (let i = 1; i <= 3 && i <= bytes.length; i++) {
    const byte = bytes[bytes.length - i] ?? 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length > i) end = bytes.length - i;
      break;
    }
    if (byte < 0x80) break;
  }
  return bytes.toString("utf8", 0, end);
}
