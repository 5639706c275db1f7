import type { StreamItem } from "./event.ts";

/** Server-sent events, as browsers read them (HTML standard, section 9.2). */

export const sseType = "text/event-stream; charset=utf-8";

/** One event is made into text once, however many read it. */
const frames = new WeakMap<object, string>();

/** An item of the event stream as a frame; one that is an event of the log carries its sequence as id. */
export function eventFrame(item: unknown): string {
  const known = frames.get(item as StreamItem);
  if (known !== undefined) return known;
  const { kind, event } = item as { readonly kind?: string; readonly event?: { readonly sequence: number } };
  const id = kind === "event" && event ? `id: ${event.sequence}\n` : "";
  const frame = `${id}data: ${JSON.stringify(item)}\n\n`;
  if (id !== "") frames.set(item as StreamItem, frame);
  return frame;
}

export interface SseMessage {
  /** `message` unless the frame says otherwise. */
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** The messages of a byte stream; comments are passed over, and what is not finished at its end is dropped. */
export async function* readMessages(stream: AsyncIterable<Uint8Array>): AsyncIterable<SseMessage> {
  let event = "";
  let id: string | undefined;
  let data: string[] = [];
  for await (const line of readSseLines(stream)) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", data: data.join("\n"), id };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

/** Lines end with CR, LF or both; a last one without an end is not finished. */
async function* readSseLines(stream: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    for (;;) {
      const end = /\r\n|\n|\r/.exec(rest);
      // A CR at the very end may be the first half of a pair.
      if (!end || (end[0] === "\r" && end.index === rest.length - 1)) break;
      yield rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
    }
  }
}
