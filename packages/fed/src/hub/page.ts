import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#base/fault.ts";
import { answerFault } from "./answer-fault.ts";
import { pagePolicy } from "./safe-header.ts";

/**
 * Serves the built pages: the files that are there when the hub starts, each under its own route, so that no path can
 * lead anywhere else. Whatever else a browser asks for is the one page, which finds its way by the address.
 */
export async function servePages(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const index = folder === undefined ? undefined : await readFile(join(folder, "index.html"), "utf8");
  if (folder !== undefined) {
    await app.register(fastifyStatic, {
      root: folder,
      wildcard: false,
      index: false,
      serveDotFiles: false,
      preCompressed: true,
      globIgnore: ["**/index.html", "**/*.br", "**/*.gz"],
      cacheControl: false,
      setHeaders(reply: FastifyReply, path: string) {
        const hashed = path.includes("/assets/");
        reply.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (isForPage(request)) return index === undefined ? answerNoPages(reply) : answerPage(reply, index);
    return answerFault(reply, new Fault("missing", `nothing is served at ${request.method} ${pathOf(request)}`));
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

function isForPage(request: FastifyRequest): boolean {
  const wanted = request.headers.accept?.includes("text/html") ?? false;
  return wanted && (request.method === "GET" || request.method === "HEAD") && !/^\/(api|assets)\//.test(request.url);
}

function answerPage(reply: FastifyReply, index: string): FastifyReply {
  const nonce = randomBytes(16).toString("base64url");
  return reply
    .status(200)
    .type("text/html; charset=utf-8")
    .header("cache-control", "no-cache")
    .header("content-security-policy", pagePolicy(nonce))
    .send(index.replaceAll("__CSP_NONCE__", nonce));
}

function answerNoPages(reply: FastifyReply): FastifyReply {
  return reply
    .status(404)
    .type("text/html; charset=utf-8")
    .send(
      "<!doctype html><title>fed</title><p>This hub runs without its pages: they could not be built. " +
        "What <code>fed up</code> printed says why; start it again once that is mended.</p>",
    );
}
