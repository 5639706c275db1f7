import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#base/fault.ts";
import { type Asset, answerAsset, indexAssets } from "./asset.ts";
import { pagePolicy } from "./safe-header.ts";

interface Build {
  readonly index: string;
  readonly mtimeMs: number;
  readonly assets: ReadonlyMap<string, Asset>;
}

export interface Pages {
  /** Answers with a file, with the one page for whatever else a browser asks for, or throws Fault `missing`. */
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

/** The built dashboard; a folder that is not there yet is looked at again when a browser asks. */
export async function openPages(folder: string | undefined): Promise<Pages> {
  let build = folder === undefined ? undefined : await readBuild(folder);
  return {
    async answer(request, reply) {
      const path = request.url.split("?", 1)[0] ?? "";
      const reads = request.method === "GET" || request.method === "HEAD";
      const asset = reads ? build?.assets.get(decoded(path)) : undefined;
      if (asset) return answerAsset(request, reply, asset);
      if (!reads || !isForPage(request, path)) {
        throw new Fault("missing", `nothing is served at ${request.method} ${path}`);
      }
      // A build that takes place while the hub runs is seen with the next page that is loaded.
      if (folder !== undefined) build = await refresh(folder, build);
      return build === undefined ? answerNoPages(reply) : answerPage(reply, build.index);
    },
  };
}

async function readBuild(folder: string): Promise<Build | undefined> {
  const path = join(folder, "index.html");
  try {
    const { mtimeMs } = await stat(path);
    return { mtimeMs, index: await readFile(path, "utf8"), assets: await indexAssets(folder) };
  } catch {
    // Not built, or half built: as good as nothing.
    return undefined;
  }
}

async function refresh(folder: string, known: Build | undefined): Promise<Build | undefined> {
  const now = await stat(join(folder, "index.html")).catch(() => undefined);
  if (now === undefined || now.mtimeMs === known?.mtimeMs) return known;
  return (await readBuild(folder)) ?? known;
}

/** The path with its `%20` and the like made letters, once; one that cannot be read is no path of ours. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

/**
 * Paths of programs: ours, and those of others whose clients take any 200 for one of them. Grafana, for one, looks whether there is
 * an `/alertmanager/api/v2/status`.
 */
const forPrograms = /^\/(api|assets|alertmanager|prometheus|loki|otlp|v1|-|metrics|federate)(\/|$)|^\/[^/]+\/api\/v\d/;

function isForPage(request: FastifyRequest, path: string): boolean {
  return (request.headers.accept?.includes("text/html") ?? false) && !forPrograms.test(path);
}

/** With a new nonce each time, so it is never answered with 304: the browser would keep the old page under the new nonce. */
function answerPage(reply: FastifyReply, index: string): FastifyReply {
  const nonce = randomBytes(16).toString("base64url");
  return reply
    .type("text/html; charset=utf-8")
    .header("cache-control", "no-cache")
    .header("content-security-policy", pagePolicy(nonce))
    .send(index.replaceAll("__CSP_NONCE__", nonce));
}

function answerNoPages(reply: FastifyReply): FastifyReply {
  return reply
    .status(503)
    .type("text/html; charset=utf-8")
    .send(
      '<!doctype html><html lang="en"><title>fed</title><p>This hub runs without its pages: they are not built. ' +
        "What <code>fed up</code> printed says why; start it again once that is mended, then load this page anew. " +
        "Until then, the commands work: <code>fed status</code>.</p></html>",
    );
}
