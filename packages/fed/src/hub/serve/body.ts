import type { FastifyInstance } from "fastify";
import { Fault } from "#base/fault.ts";

/** Besides JSON: Grafana sends its queries as forms. */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    async (_request: unknown, body: string) => readForm(body),
  );
}

/** In place of JSON: whatever comes, as it comes. */
export function takeBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (_request: unknown, body: Buffer) => body);
}

/** In place of JSON: whatever comes, while it comes; nothing of it is read before somebody asks for it. */
export function takeStream(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (_request: unknown, body: unknown) => body);
}

const mostFields = 1_000;

/** A field that is there many times is a list. */
function readForm(text: string): Readonly<Record<string, string | readonly string[]>> {
  const fields: Record<string, string | readonly string[]> = Object.create(null);
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > mostFields) throw new Fault("invalid", `the form has more than ${mostFields} fields`);
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}
