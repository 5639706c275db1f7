import { z } from "zod";
import { faultTable } from "#base/fault.ts";
import { api } from "./api.ts";
import { diagnosticShape } from "./diagnostic.ts";
import type { Answer, Endpoint } from "./endpoint.ts";
import { anyEventShape, eventShape, rawEventShape, streamItemShape, verdictShape } from "./event.ts";
import { loopShape } from "./loop.ts";
import { machineFactsShape, machineShape } from "./machine.ts";
import { planShape, stepShape } from "./plan.ts";
import { problemShape, problemType } from "./problem.ts";
import { progressShape } from "./progress.ts";
import { roleShape } from "./role.ts";
import { sessionCookieName } from "./session.ts";
import { instanceShape, serviceStatusShape, statusShape } from "./status.ts";
import { grantShape, linkShape, meShape, tokenShape, userShape } from "./user.ts";

/** Shapes that have a name of their own in the document. */
const named = {
  AnyEvent: anyEventShape,
  Diagnostic: diagnosticShape,
  Event: eventShape,
  Grant: grantShape,
  Instance: instanceShape,
  Link: linkShape,
  Loop: loopShape,
  Machine: machineShape,
  MachineFacts: machineFactsShape,
  Me: meShape,
  Plan: planShape,
  Problem: problemShape,
  Progress: progressShape,
  RawEvent: rawEventShape,
  Role: roleShape,
  ServiceStatus: serviceStatusShape,
  Status: statusShape,
  Step: stepShape,
  StreamItem: streamItemShape,
  Token: tokenShape,
  User: userShape,
  Verdict: verdictShape,
} as const;

type Json = Readonly<Record<string, unknown>>;
type Schema = Readonly<Record<string, unknown>>;

const contentTypes: Readonly<Record<Answer, string>> = {
  one: "application/json",
  many: "application/x-ndjson",
  events: "text/event-stream",
  text: "text/plain",
  prometheus: "application/json",
  lines: "text/plain",
};

/** The OpenAPI 3.1 document of the table. The same table gives the same text, so that it can be committed. */
export function openapiOf(version: string): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(named)) registry.add(shape, { id });
  for (const [name, endpoint] of Object.entries(api) as [string, Endpoint][]) {
    if (!registry.has(endpoint.output)) registry.add(endpoint.output, { id: outputName(name) });
  }
  const { schemas } = z.toJSONSchema(registry, {
    io: "output",
    override: loosen,
    uri: (id) => `#/components/schemas/${id}`,
  });
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, endpoint] of Object.entries(api) as [string, Endpoint][]) {
    const path = endpoint.path.replaceAll(/:([a-z]+)/gi, "{$1}");
    const id = registry.get(endpoint.output)?.id ?? "";
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(name, endpoint, id) };
  }
  const document = {
    openapi: "3.1.0",
    info: {
      title: "fed",
      version,
      summary: "One control plane for a home lab.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema as Schema)])),
      responses: { Problem: { description: "What went wrong and what to do next.", content: problemContent } },
      securitySchemes: {
        bearer: {
          ...{ type: "http", scheme: "bearer" },
          description: "An access token (JWT), a long-lived API token, or the hub's own token from its data folder.",
        },
        session: { type: "apiKey", in: "cookie", name: sessionCookieName, description: "A page's session." },
        csrf: { type: "apiKey", in: "header", name: "x-csrf-token", description: "What `me` gives a page's session." },
      },
    },
  };
  return JSON.parse(JSON.stringify(document)) as Json;
}

/** The same, made once: it takes some milliseconds, and is given to callers without credentials. */
export function openapiOnce(version: string): () => Json {
  let made: Json | undefined;
  return () => {
    made ??= openapiOf(version);
    return made;
  };
}

const problemContent = { [problemType]: { schema: { $ref: "#/components/schemas/Problem" } } };

const outputName = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Answer`;

function operationOf(name: string, endpoint: Endpoint, outputId: string): Schema {
  const input = bare(z.toJSONSchema(endpoint.input, { io: "input", override: loosen }) as Schema);
  const properties = (input.properties ?? {}) as Readonly<Record<string, Schema>>;
  const required = (input.required ?? []) as readonly string[];
  const inPath = [...endpoint.path.matchAll(/:([a-z]+)/gi)].map(([, part = ""]) => part);
  const rest = Object.keys(properties).filter((key) => !inPath.includes(key));
  const parameters = [
    ...inPath.map((key) => ({ name: key, in: "path", required: true, schema: properties[key] ?? {} })),
    ...(endpoint.method === "GET" || endpoint.body === "bytes" || endpoint.body === "stream" ? rest : []).map(
      (key) => ({
        ...{ name: key, in: "query", required: required.includes(key), schema: queryOf(properties[key] ?? {}) },
      }),
    ),
    ...(endpoint.answer === "events" ? [resumeParameter] : []),
  ];
  const body = {
    type: "object",
    properties: Object.fromEntries(rest.map((key) => [key, properties[key]])),
    required: rest.filter((key) => required.includes(key)),
  };
  return {
    operationId: name,
    summary: endpoint.summary,
    "x-fed-role": endpoint.role,
    security: securityOf(endpoint),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(endpoint, body),
    responses: responsesOf(endpoint, outputId),
  };
}

const bytes = { schema: { type: "string", format: "binary" } };

function bodyOf(endpoint: Endpoint, schema: Schema & { readonly required: readonly string[] }): Schema {
  if (endpoint.method !== "POST") return {};
  if (endpoint.body === "bytes" || endpoint.body === "stream")
    return { requestBody: { required: true, content: { "*/*": bytes } } };
  if (Object.keys(schema.properties as object).length === 0) return {};
  const required = schema.required.length > 0;
  // What a form needs may come in the query all the same.
  if (endpoint.body !== "form") return { requestBody: { required, content: { "application/json": { schema } } } };
  return {
    requestBody: { content: { "application/x-www-form-urlencoded": { schema }, "application/json": { schema } } },
  };
}

const resumeParameter = {
  ...{ name: "Last-Event-ID", in: "header", required: false, schema: { type: "integer", minimum: 0 } },
  description: "The id of the last event that was read; counts more than `after`.",
};

function securityOf({ role, method }: Endpoint): readonly Schema[] {
  if (role === "open") return [];
  // Only who can read the hub's data folder has the token that is `local`.
  if (role === "local" || role === "machine") return [{ bearer: [] }];
  return [{ bearer: [] }, method === "GET" ? { session: [] } : { session: [], csrf: [] }];
}

/** Without what zod adds of its own: an answer may get more fields later, and every number of JSON is a safe one. */
function loosen({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

/** A number of a query is written as text; what zod takes from it is a number all the same. */
function queryOf(schema: Schema): Schema {
  return Object.keys(schema).length === 0 ? { type: "string" } : schema;
}

function responsesOf(endpoint: Endpoint, outputId: string): Schema {
  const schema = { $ref: `#/components/schemas/${outputId}` };
  const problem = { $ref: "#/components/responses/Problem" };
  const type = contentTypes[endpoint.answer];
  const description = {
    ...{ one: "Done.", many: "One JSON object a line.", events: "As they happen.", text: "As text." },
    ...{ prometheus: "In Prometheus' envelope, as its errors are.", lines: "A line at a time, as they come." },
  };
  const good = { description: description[endpoint.answer], content: { [type]: { schema } } };
  return {
    ...(endpoint.answer === "prometheus" && endpoint.output instanceof z.ZodUnknown
      ? { 204: { description: "Done, all of it." } }
      : { 200: good }),
    ...(endpoint.role === "open"
      ? {}
      : { [faultTable.unauthenticated.status]: problem, [faultTable.denied.status]: problem }),
    default: problem,
  };
}

/** Without what belongs to a schema that stands alone. */
function bare({ $schema: _, $id: __, ...schema }: Schema): Schema {
  return schema;
}
