/** Building: the folder goes up as a tar, lines come back, the last one tells the image. */
import { Fault, isFault } from "#base/fault.ts";
import type { BuildRequest, ImageProgress } from "#port/image.ts";
import { makeBuildNews } from "./build-news.ts";
import { type BuildSession, openBuildSession } from "./buildkit-session.ts";
import type { EngineClient } from "./client.ts";
import { type BuildContext, openBuildContext } from "./context.ts";
import type { Dial } from "./dial.ts";
import { errorOf, readJsonLines } from "./json-lines.ts";
import { refusal } from "./refusal.ts";
import { loginsHeader, megabytes } from "./transfer.ts";

/** What takes as long as it takes: the caller's signal has the deadline. */
export const untilDoneMs = 24 * 3_600_000;

export interface ImageNeeds {
  readonly client: EngineClient;
  readonly dial: Dial;
  /** Docker's own builder of today, which Podman does not have and does not need. */
  readonly buildKit: boolean;
}

/** Answers the id. */
export async function buildImage(
  needs: ImageNeeds,
  request: BuildRequest,
  onProgress: ImageProgress,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const context = await openBuildContext(request.folder, request.dockerfile);
  const session = needs.buildKit ? await openSession(needs, request.logins, signal) : undefined;
  try {
    return await runBuild(needs, request, context, session?.id, onProgress, signal);
  } finally {
    session?.close();
  }
}

/** None where there is no BuildKit: an old Docker, or Podman under Docker's name. Its own builder does, then. */
async function openSession(
  { client, dial }: ImageNeeds,
  logins: BuildRequest["logins"],
  signal: AbortSignal,
): Promise<BuildSession | undefined> {
  return openBuildSession(client.name, dial, logins, signal).catch((thrown: unknown) => {
    if (!signal.aborted && isFault(thrown) && thrown.code === "unsupported") return undefined;
    throw thrown;
  });
}

async function runBuild(
  { client }: ImageNeeds,
  request: BuildRequest,
  context: BuildContext,
  session: string | undefined,
  onProgress: ImageProgress,
  signal: AbortSignal,
): Promise<string> {
  const news = makeBuildNews(onProgress);
  const archive = keepReason(counted(context.tar(signal), onProgress));
  let id: string | undefined;
  let failure: string | undefined;
  try {
    const answer = await client.stream(
      {
        method: "POST",
        path: "/build",
        query: {
          dockerfile: context.dockerfile,
          labels: JSON.stringify(request.labels),
          rm: true,
          forcerm: true,
          ...(session === undefined ? {} : { version: 2, session }),
        },
        ...(session === undefined ? { headers: loginsHeader(request.logins) } : {}),
        bytes: archive.bytes,
        what: "build",
        timeoutMs: untilDoneMs,
      },
      signal,
    );
    for await (const line of readJsonLines(client.name, answer)) {
      id = news.take(line) ?? id;
      failure ??= errorOf(line);
    }
  } catch (thrown) {
    throw signal.aborted ? signal.reason : (archive.reason() ?? buildFault(thrown, news.tail()));
  }
  if (failure !== undefined) throw buildFault(refusal("build", 500, failure), news.tail(), failure);
  if (id === undefined)
    throw new Fault("invalid", "the build ended without an image", { details: { output: news.tail() } });
  return id;
}

/** A build that fails is the Dockerfile's matter, whatever word of it sounds like something else; but not a full disk or a lost engine. */
function buildFault(thrown: unknown, output: string, said?: string): unknown {
  if (!(thrown instanceof Fault)) return thrown;
  const full = JSON.stringify(thrown.details ?? {}).includes('"full"');
  const refused = said !== undefined || JSON.stringify(thrown.details ?? {}).includes('"status":4');
  if (full || !refused) return thrown;
  return new Fault("invalid", `the build failed: ${said ?? thrown.message.replace(/^\w+: build: /, "")}`, {
    cause: thrown,
    details: { output, ...(isAboutLogin(said ?? thrown.message) ? { login: "refused" } : {}) },
    hint: "See its last lines, and try the same Dockerfile by hand.",
  });
}

const isAboutLogin = (said: string) =>
  /unauthorized|authentication required|authorization failed|pull access denied|no basic auth credentials/i.test(said);

/** Between two lines about how much of the folder went up. */
const stepBytes = 64 * 2 ** 20;

/** Says how much goes up. */
async function* counted(bytes: AsyncIterable<Uint8Array>, onProgress: ImageProgress): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  let nextBytes = stepBytes;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes >= nextBytes) {
      if (nextBytes === stepBytes)
        onProgress("the folder is large: what the build does not need can be left out by .dockerignore");
      nextBytes = sizeBytes + stepBytes;
      onProgress(`sent ${megabytes(sizeBytes)} of the folder`);
    }
    yield chunk;
  }
  onProgress(`the folder is ${megabytes(sizeBytes)}`);
}

/** Bytes for a request, and why they ended too early: the request's own failure would only say that it broke off. */
export function keepReason(bytes: AsyncIterable<Uint8Array>): {
  readonly bytes: AsyncIterable<Uint8Array>;
  reason(): unknown;
} {
  let reason: unknown;
  async function* pass(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (thrown) {
      reason = thrown;
      throw thrown;
    }
  }
  return { bytes: pass(), reason: () => reason };
}
