/** Server-sent events, both ways, as the HTML standard writes them (section 9.2, "Server-sent events"). */

export const sseType = "text/event-stream";

export interface SseFrame {
  /** The last id that was sent, with this frame or before; "" when there was none. */
  readonly id: string;
  readonly data: string;
}

/** A heartbeat: a comment, which readers pass over. */
export const sseHeartbeat = ":\n\n";

/** One frame. The data is cut into lines, so that nothing in it can end the frame or begin a field. */
export function encodeSse(data: string, id?: number): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`;
}

/** A frame longer than this is no answer of a hub. */
const frameLimit = 8 * 1024 * 1024;

/**
 * The frames of a byte stream, cut anywhere; lines end with LF, CR or CRLF. A frame that the end of the stream cuts off
 * is dropped. Comments, and fields other than `data` and `id`, are passed over.
 */
export async function* readSse(stream: AsyncIterable<Uint8Array>): AsyncIterable<SseFrame> {
  const cut = makeLineCutter();
  let id = "";
  let data: string[] = [];
  let size = 0;
  for await (const chunk of stream) {
    for (const line of cut(chunk)) {
      if (line === "") {
        if (data.length > 0) yield { id, data: data.join("\n") };
        data = [];
        size = 0;
        continue;
      }
      const { field, value } = readField(line);
      if (field === "id" && !value.includes("\0")) id = value;
      if (field !== "data") continue;
      data.push(value);
      size += value.length + 1;
      if (size > frameLimit) throw new RangeError("a frame of the stream is too long");
    }
  }
}

function readField(line: string): { readonly field: string; readonly value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) return { field: line, value: "" };
  return { field: line.slice(0, colon), value: line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1) };
}

/** The whole lines of what was put in so far. A CR at the end of a chunk ends its line at once; a LF after it is its other half. */
function makeLineCutter(): (chunk: Uint8Array) => readonly string[] {
  // The decoder takes a byte order mark off the beginning.
  const decoder = new TextDecoder();
  let rest = "";
  let afterCr = false;
  return (chunk) => {
    let text = decoder.decode(chunk, { stream: true });
    if (text === "") return [];
    if (afterCr && text.startsWith("\n")) text = text.slice(1);
    afterCr = text === "" ? false : text.endsWith("\r");
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? "";
    if (rest.length > frameLimit) throw new RangeError("a line of the stream is too long");
    return lines;
  };
}
