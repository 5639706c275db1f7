import type { z } from "zod";

/**
 * An endpoint as data. From these come the server's routes and validation and the typed client. Parts of the path
 * written `:name` are taken from the input; the rest of the input is the query of a GET and the JSON body of a POST.
 */
export interface Endpoint<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** `open`: anybody who reaches the port; `token`: bearers of the hub's token. */
  readonly access: "open" | "token";
  /** `one`: a JSON answer; `many`: a stream of JSON lines, each one `output`. */
  readonly answer: "one" | "many";
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
export function endpoint<const I extends z.ZodType, const O extends z.ZodType, const A extends "one" | "many">(
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
