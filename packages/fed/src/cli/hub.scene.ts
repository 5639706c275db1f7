import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { Fault, type FaultCode, faultTable } from "#base/fault.ts";
import { problemOf, problemType } from "#wire/problem.ts";

/** A hub as far as a client sees one: answers by a function, notes who showed which token. */
export interface FakeHub {
  readonly url: string;
  /** Every request, in order. */
  readonly asked: readonly Asked[];
  /** Breaks every connection and listens no more. */
  stop(): Promise<void>;
}

export type Reply = (response: ServerResponse) => void;

/** A request as the hub sees it. */
export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly body: unknown;
}

export async function openFakeHub(answer: (asked: Asked) => Reply): Promise<FakeHub> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://hub");
    const token = request.headers.authorization?.replace("Bearer ", "");
    const one: Asked = { path, query, token, body: await bodyOf(request) };
    asked.push(one);
    answer(one)(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

export const gives =
  (value: unknown): Reply =>
  (response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));

export const refuses =
  (code: FaultCode, message = "no"): Reply =>
  (response) =>
    void response
      .writeHead(faultTable[code].status, { "content-type": problemType })
      .end(JSON.stringify(problemOf(new Fault(code, message))));

/** Lines of a stream, then what `end` does: nothing keeps it open. */
export const streams =
  (lines: readonly unknown[], end: "ends" | "stays" | "breaks" = "ends"): Reply =>
  (response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write(`\n${lines.map((line) => `${JSON.stringify(line)}\n`).join("")}`, () => {
      if (end === "ends") response.end();
      if (end === "breaks") setImmediate(() => response.destroy());
    });
  };

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  if (text === "") return undefined;
  return request.headers["content-type"]?.startsWith("application/json") ? JSON.parse(text) : text;
}
