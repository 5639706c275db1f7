import { Fault } from "#base/fault.ts";

const lineLimit = 16 * 2 ** 20;

export type JsonLine = Readonly<Record<string, unknown>>;

/** The objects of an answer that goes on while the engine works, one per line. Fault `unreachable` for what is none. */
export async function* readJsonLines(name: string, answer: AsyncIterable<Uint8Array>): AsyncGenerator<JsonLine> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of answer) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineLimit) throw new Fault("unreachable", `${name} answered with a line that does not end`);
    for (const line of lines) yield* readLine(name, line);
  }
  yield* readLine(name, rest);
}

function* readLine(name: string, line: string): Generator<JsonLine> {
  if (line.trim() === "") return;
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) yield value;
  } catch (cause) {
    throw new Fault("unreachable", `${name} answered with something that is no JSON`, { cause });
  }
}

/** What went wrong, when the line says so. */
export function errorOf(line: JsonLine): string | undefined {
  const { errorDetail, error } = line;
  if (isRecord(errorDetail) && typeof errorDetail.message === "string" && errorDetail.message !== "")
    return errorDetail.message;
  return typeof error === "string" && error !== "" ? error : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
