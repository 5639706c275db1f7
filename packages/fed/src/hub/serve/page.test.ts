import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { openScene, request } from "./serve.scene.ts";

const script = `console.log("${"hello ".repeat(200)}")`;
const index = (text: string) => `<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><p>${text}</p>`;

async function makeFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "fed-page-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, "dist");
  await mkdir(join(folder, "assets"), { recursive: true });
  await mkdir(join(folder, ".hidden"));
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    ["../secret.txt", "secret"],
    ["index.html", index("first")],
    ["favicon.svg", "<svg/>"],
    [".env", "secret"],
    [".hidden/x.js", "secret"],
    ["empty.txt", ""],
    ["a b.txt", "blank"],
    ["assets/app-1a2b.js", script],
    ["assets/app-1a2b.js.br", brotliCompressSync(script)],
    ["assets/app-1a2b.js.gz", gzipSync(script)],
    ["assets/plain-1a2b.css", "p{}"],
  ];
  for (const [name, content] of files) await writeFile(join(folder, name), content);
  await symlink(join(parent, "secret.txt"), join(folder, "link.txt"));
  await symlink(parent, join(folder, "up"));
  return folder;
}

const html = { accept: "text/html,application/xhtml+xml;q=0.9" };

describe("the page", () => {
  test("is what a browser gets for any address, with a nonce of its own each time", async () => {
    const hub = await openScene({ pages: await makeFolder() });
    const nonces = new Set<string>();
    for (const path of ["/", "/machines", "/services/dev/api?tab=logs", "/index.html", "/welcome"]) {
      const response = await hub.get(path, { headers: html });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-cache");
      const nonce = /content="([^"]+)"/.exec(await response.text())?.[1] ?? "";
      expect(nonce).toMatch(/^[\w-]{20,}$/);
      expect(response.headers.get("content-security-policy")).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; ` +
          "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(5);
  });

  test("is not what the API, a missing file or a program gets", async () => {
    const hub = await openScene({ pages: await makeFolder() });
    for (const [path, headers, method] of [
      ["/api/v1/nowhere", html, "GET"],
      ["/api", html, "GET"],
      ["/assets/gone-1a2b.js", html, "GET"],
      ["/alertmanager/api/v2/status", html, "GET"],
      ["/api/v2/status", html, "GET"],
      ["/prometheus/api/v1/query", html, "GET"],
      ["/loki/api/v1/labels", html, "GET"],
      ["/otlp/v1/logs", html, "GET"],
      ["/-/reload", html, "GET"],
      ["/somewhere/api/v1/query", html, "GET"],
      ["/machines", { accept: "application/json" }, "GET"],
      ["/machines", { ...html, origin: "http://x" }, "POST"],
    ] as const) {
      const response = await hub.get(path, { headers, method });
      expect([path, response.status]).toEqual([path, 404]);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
    }
  });

  test("is the new one after a build while the hub runs, and the old one during it", async () => {
    const folder = await makeFolder();
    const hub = await openScene({ pages: folder });
    const text = async () => (await hub.get("/", { headers: html })).text();
    expect(await text()).toContain("first");
    await rm(join(folder, "index.html"));
    expect(await text()).toContain("first");
    await writeFile(join(folder, "assets/app-9z9z.js"), "new");
    await writeFile(join(folder, "index.html"), index("second"));
    await utimes(join(folder, "index.html"), 1, 1);
    expect((await hub.get("/assets/app-9z9z.js")).status).toBe(404);
    expect(await text()).toContain("second");
    expect(await (await hub.get("/assets/app-9z9z.js")).text()).toBe("new");
  });

  test.each([undefined, "/nowhere/at/all"])("says what to do when there is no build in %s", async (pages) => {
    const hub = await openScene(pages === undefined ? {} : { pages });
    const response = await hub.get("/", { headers: html });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("fed up");
    expect((await hub.get("/health")).status).toBe(200);
  });
});

describe("a file", () => {
  test.each<[accepted: string, encoding: string | null]>([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1.0, BR;q=0.5", "br"],
    ["gzip, br;q=0", "gzip"],
    ["gzip;q=0.0, br; q=0.000", null],
    ["identity", null],
    ["", null],
    ["brotli, xgzip", null],
  ])("is packed for who takes %j by %s", async (accepted, encoding) => {
    const hub = await openScene({ pages: await makeFolder() });
    const response = await hub.get("/assets/app-1a2b.js", { headers: { "accept-encoding": accepted } });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("accept-encoding");
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(await response.text()).toBe(script);
  });

  test("with a hash in its name is kept for good, another asked for again and told that it is the same", async () => {
    const hub = await openScene({ pages: await makeFolder() });
    const hashed = await hub.get("/assets/plain-1a2b.css");
    expect(hashed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const icon = await hub.get("/favicon.svg");
    expect(icon.headers.get("cache-control")).toBe("no-cache");
    const etag = icon.headers.get("etag") ?? "";
    for (const known of [etag, `"x", ${etag}`, "*"]) {
      const again = await hub.get("/favicon.svg", { headers: { "if-none-match": known } });
      expect([again.status, await again.text()]).toEqual([304, ""]);
    }
    expect((await hub.get("/favicon.svg", { headers: { "if-none-match": '"x"' } })).status).toBe(200);
  });

  test("is only told of to HEAD, may be empty, and may have a blank in its name", async () => {
    const hub = await openScene({ pages: await makeFolder() });
    const head = await hub.get("/assets/app-1a2b.js", { method: "HEAD", headers: { "accept-encoding": "identity" } });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, `${script.length}`, ""]);
    expect([(await hub.get("/empty.txt")).status, await (await hub.get("/a%20b.txt")).text()]).toEqual([200, "blank"]);
  });

  test("that is gone since is a fault, without its path", async () => {
    const folder = await makeFolder();
    const hub = await openScene({ pages: folder });
    await rm(join(folder, "favicon.svg"));
    const response = await hub.get("/favicon.svg");
    expect(response.status).toBe(404);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).not.toContain(folder);
  });

  test.each([
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/..%2fsecret.txt",
    "/%252e%252e%252fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/assets/..%00/secret.txt",
    "/secret.txt%00.js",
    "//secret.txt",
    "/./.env",
    "/.env",
    "/%2eenv",
    "/.hidden/x.js",
    "/link.txt",
    "/up/secret.txt",
    "/up/dist/favicon.svg",
    "/assets",
    "/assets/",
    "/favicon.svg/",
    "/assets/app-1a2b.js.br",
    "/constructor",
    "/__proto__",
    "http://evil.example/../secret.txt",
    "file:///etc/passwd",
    "*",
  ])("is not found at %s", async (path) => {
    const hub = await openScene({ pages: await makeFolder() });
    const raw = hub.connect();
    raw.send(request(`GET ${path}`, { connection: "close" }));
    const answer = await raw.closed;
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer.split("\r\n\r\n")[1]).not.toMatch(/^secret/);
    expect(answer).toContain('"status":40');
  });
});
