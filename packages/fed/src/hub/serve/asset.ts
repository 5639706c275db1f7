import { constants } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#base/fault.ts";

/** A built file of the dashboard. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly immutable: boolean;
  /** The same, packed, from small to large. */
  readonly packed: readonly { readonly encoding: "br" | "gzip"; readonly path: string }[];
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

const packings = [
  { encoding: "br", end: ".br" },
  { encoding: "gzip", end: ".gz" },
] as const;

/** More files than this are no dashboard. */
const mostFiles = 5_000;

/**
 * The files of a folder by the path they are served at, without the page itself, dot files, links and what is packed. Only
 * what is listed here is ever opened, so no path a caller makes up leads anywhere.
 */
export async function indexAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const files = new Map(await listFiles(folder, ""));
  const assets = new Map<string, Asset>();
  for (const [name, path] of files) {
    if (name === "/index.html" || packings.some(({ end }) => name.endsWith(end))) continue;
    const { size, mtimeMs } = await stat(path);
    assets.set(name, {
      path,
      type: types[extname(name)] ?? "application/octet-stream",
      etag: `W/"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`,
      immutable: name.startsWith("/assets/"),
      packed: packings.flatMap(({ encoding, end }) => {
        const packed = files.get(name + end);
        return packed === undefined ? [] : [{ encoding, path: packed }];
      }),
    });
  }
  return assets;
}

/** Node's own recursive `readdir` would follow links to folders. */
async function listFiles(folder: string, prefix: string): Promise<readonly (readonly [name: string, path: string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [name, path] = [`${prefix}/${entry.name}`, join(folder, entry.name)];
    if (entry.name.startsWith(".") || found.length > mostFiles) continue;
    if (entry.isFile()) found.push([name, path]);
    else if (entry.isDirectory()) found.push(...(await listFiles(path, name)));
  }
  return found;
}

export async function answerAsset(request: FastifyRequest, reply: FastifyReply, asset: Asset): Promise<FastifyReply> {
  const known = {
    etag: asset.etag,
    vary: "accept-encoding",
    "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (matches(request.headers["if-none-match"], asset.etag)) return reply.headers(known).status(304).send();
  const wanted = acceptedEncodings(request.headers["accept-encoding"]);
  const packed = asset.packed.find(({ encoding }) => wanted.has(encoding));
  const file = await openFile(packed?.path ?? asset.path);
  try {
    const { size } = await file.stat();
    reply.headers(known).type(asset.type).header("content-length", size);
    if (packed) reply.header("content-encoding", packed.encoding);
    if (request.method !== "HEAD" && size > 0) return reply.send(file.createReadStream({ end: size - 1 }));
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
  await file.close();
  return reply.send("");
}

/** A build may take a file away while the hub runs. */
async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    throw new Fault("missing", "this file is no longer there", { hint: "Load the page again.", cause: thrown });
  }
}

function matches(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((one) => one.trim() === etag || one.trim() === "*") ?? false;
}

/** The encodings a caller takes: `br;q=0` is none. */
export function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const accepted = String(header ?? "")
    .toLowerCase()
    .split(",")
    .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
    .map((one) => one.split(";", 1)[0]?.trim() ?? "");
  return new Set(accepted);
}
