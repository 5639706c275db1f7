import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import type { Fault } from "#base/fault.ts";
import { openBuildContext } from "./context.ts";
import { readTar } from "./tar-read.ts";

const missing = withoutDocker();

/** Why Docker's own command cannot be asked here; "" when it can. Where CI runs nothing is left out. */
function withoutDocker(): string {
  if (spawnSync("docker", ["--version"]).error === undefined) return "";
  if (process.env.CI === "true") throw new Error("this test needs docker-cli");
  return " [skipped: needs docker-cli]";
}

const names = ["a", "b", "c.go", "a.go", ".x"];
const paths = fc.uniqueArray(
  fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  { minLength: 1, maxLength: 12 },
);
const part = fc.constantFrom(...names, "*", "**", "?", "*.go", "[ab]", "[^a]", "a*", "**.go", ".", "..", "");
const leftOut = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
// Docker's old builder does not look into a folder that is left out for what only a wildcard takes back; BuildKit does, and so do we.
const takenBack = fc
  .array(fc.constantFrom(...names, "."), { minLength: 1, maxLength: 3 })
  .map((parts) => `!${parts.join("/")}`);
const pattern = fc
  .tuple(fc.oneof(leftOut, takenBack), fc.constantFrom("", "", "/", " "))
  .map(([text, after]) => text + after);

it.skipIf(missing !== "")(`leaves out what docker's own command leaves out${missing}`, async () => {
  const ask = await openListener();
  await fc.assert(
    fc.asyncProperty(paths, fc.array(pattern, { maxLength: 4 }), async (files, patterns) => {
      const folder = makeFolder(files, patterns);
      try {
        const theirs = await ask(folder);
        const ours = openBuildContext(folder).then(
          (context) => listFiles(context.tar(new AbortController().signal)),
          (refused: Fault) => refused.code,
        );
        expect(await ours).toEqual(theirs);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 25 },
  );
});

/** What is a file and a folder at once is only a folder. */
function makeFolder(files: readonly string[], patterns: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-context-"));
  for (const path of files.filter((one) => !files.some((other) => other.startsWith(`${one}/`)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "");
  }
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
  writeFileSync(join(folder, ".dockerignore"), patterns.join("\n"));
  return folder;
}

async function listFiles(tar: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { name, kind } of readTar(tar)) if (kind === "file") files.push(name);
  // Docker's command sends the list itself whatever it says, for the engine to leave it out; we leave it out at once.
  return files.filter((name) => name !== ".dockerignore").sort();
}

/** Something that docker takes for an engine: answers the files that a build of a folder sends it, or that it refuses to. */
async function openListener(): Promise<(folder: string) => Promise<readonly string[] | "invalid">> {
  let heard: readonly string[] = [];
  const server = createServer(async (request, response) => {
    response.setHeader("api-version", "1.41");
    if (request.url?.includes("/build")) heard = await listFiles(request);
    response.end('{"stream":"built"}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_BUILDKIT: "0" };
  return async (folder) => {
    heard = [];
    return promisify(execFile)("docker", ["build", folder], { env }).then(
      () => heard,
      () => "invalid" as const,
    );
  };
}
