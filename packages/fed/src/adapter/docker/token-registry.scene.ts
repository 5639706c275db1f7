/** For tests: a registry that hands a token to everybody, as Docker Hub does, with one image `base:1` of one file. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { packTar } from "./tar-write.ts";

export interface TokenRegistry {
  readonly address: string;
  /** How often a token was asked for. */
  readonly tokens: () => number;
  close(): void;
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export async function startTokenRegistry(): Promise<TokenRegistry> {
  const blobs = new Map<string, Buffer>();
  const add = (bytes: Buffer) => {
    blobs.set(digestOf(bytes), bytes);
    return { size: bytes.length, digest: digestOf(bytes) };
  };
  const tar = packTar([{ name: "from-base", mode: 0o644, changedMs: 0, content: Buffer.from("told by a token") }]);
  const rootfs = { type: "layers", diff_ids: [digestOf(tar)] };
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs, history: [{}] }));
  const type = "application/vnd.docker.";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}distribution.manifest.v2+json`,
      config: { mediaType: `${type}container.image.v1+json`, ...add(config) },
      layers: [{ mediaType: `${type}image.rootfs.diff.tar.gzip`, ...add(gzipSync(tar)) }],
    }),
  );
  let tokens = 0;
  const server = createServer((asked, answer) => {
    const path = (asked.url ?? "").split("?")[0] ?? "";
    const at = `http://${asked.headers.host}`;
    if (path === "/token") {
      tokens++;
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ token: "for-everybody", access_token: "for-everybody", expires_in: 300 }));
    } else if (asked.headers.authorization !== "Bearer for-everybody") {
      answer.setHeader("www-authenticate", `Bearer realm="${at}/token",service="${asked.headers.host}"`);
      answer.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    } else {
      const wanted = path.split("/").at(-1) ?? "";
      const isManifest = path.startsWith("/v2/base/manifests/");
      const body = isManifest ? manifest : blobs.get(wanted);
      if (isManifest) answer.setHeader("content-type", `${type}distribution.manifest.v2+json`);
      if (body) answer.setHeader("docker-content-digest", digestOf(body)).setHeader("content-length", body.length);
      answer.statusCode = body || path === "/v2/" ? 200 : 404;
      answer.end(asked.method === "HEAD" ? undefined : body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: () => tokens,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
