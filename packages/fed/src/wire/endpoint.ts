import type { z } from "zod";
import type { Access } from "./role.ts";

/**
 * How an endpoint answers.
 * `one`: a JSON value. `many`: a stream of JSON lines, each one `output`. `events`: server-sent events, the data of each
 * one `output`. `text`: plain text, `output` is a string. `prometheus`: JSON in the envelope of Prometheus' HTTP API, and so
 * are its faults but for who may not call; the handler gives it as text, "" for no content. `lines`: plain text for a shell to read,
 * each line one `output` as it comes; an empty one says only that the hub is there.
 */
export type Answer = "one" | "many" | "events" | "text" | "prometheus" | "lines";

/**
 * What a body may be besides JSON. `form`: the fields of a form, in place of a long query. `bytes`: no JSON, but bytes as they come,
 * for the handler to read. `stream`: bytes without an end, which the handler reads while it answers in `lines`.
 */
export type Body = "form" | "bytes" | "stream";

/**
 * An endpoint as data. From these come the server's routes and validation, the typed client and the OpenAPI document.
 * Parts of the path written `:name` are taken from the input; the rest of the input is the query of a GET and of what takes bytes, and
 * the JSON body otherwise.
 */
export interface Endpoint<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly role: Access;
  readonly answer: Answer;
  readonly body?: Body;
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
}

/** What a caller hands in. */
export type InputOf<E extends Endpoint> = z.input<E["input"]>;
/** What a handler gets: validated, with defaults. */
export type ParsedOf<E extends Endpoint> = z.output<E["input"]>;
export type OutputOf<E extends Endpoint> = z.output<E["output"]>;

/** Keeps the literal types of an endpoint. */
export function endpoint<const I extends z.ZodType, const O extends z.ZodType, const A extends Answer>(
  spec: Endpoint<I, O> & { readonly answer: A },
): Endpoint<I, O> & { readonly answer: A } {
  return spec;
}

/** The path with its `:names` filled from the input, and what is left of the input. */
export function fillPath(
  path: string,
  input: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly rest: Readonly<Record<string, unknown>> } {
  const rest = { ...input };
  const filled = path.replaceAll(/:([a-z]+)/gi, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  return { path: filled, rest };
}
