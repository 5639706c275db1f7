import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { posix } from "node:path";
import type { Writable } from "node:stream";
import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";
import type { CommandOutcome, Shell, UploadFile } from "#port/shell.ts";
import { plain } from "./failure.ts";
import { placeText, receiveText } from "./script.ts";

/** In C's locale, so that we know what went wrong. */
const environment = { LC_ALL: "C" };
const placeMs = 30_000;

/**
 * By way of a program that keeps what it is sent in a file beside (no SFTP is needed), and a second one that puts it in its place once
 * its size is right: a connection that is lost half-way looks to the first one like the end of the file.
 */
export async function uploadTo(
  shell: Pick<Shell, "run" | "stream">,
  machine: string,
  { path, bytes, mode }: UploadFile,
  signal: AbortSignal,
): Promise<void> {
  if (!posix.isAbsolute(path) || path.includes("\0"))
    throw new Fault("invalid", `${JSON.stringify(path)} is no absolute path`);
  const beside = posix.join(posix.dirname(path), `.${posix.basename(path)}.${randomBytes(6).toString("hex")}.fed`);
  const receive = ["sh", "-c", receiveText, "sh", beside, mode.toString(8)];
  const stream = await shell.stream({ argv: receive, environment }, signal);
  const trouble = (words: string) => faultOf(machine, path, words);
  const said = new Promise<boolean>((resolve) => {
    stream.io.once("data", () => resolve(true));
    // Not when it has ended: what it said last may be on its way yet.
    for (const end of ["end", "close"]) stream.io.once(end, () => resolve(false));
  });
  try {
    const sizeBytes = await send(stream.io, bytes, signal);
    stream.io.end();
    if (!(await untilAborted(said, signal))) throw trouble(stream.stderr());
    const place = { argv: ["sh", "-c", placeText, "sh", beside, path, String(sizeBytes)], environment };
    checkPlaced(await shell.run(place, { timeoutMs: placeMs }, signal), machine, path, trouble);
  } catch (thrown) {
    await shell
      .run({ argv: ["rm", "-f", "--", beside] }, { timeoutMs: placeMs }, new AbortController().signal)
      .catch(() => {});
    throw thrown;
  } finally {
    await stream.kill();
    stream.io.destroy();
  }
}

/** Writes as fast as it is taken; what is written after its end goes nowhere. */
async function send(io: Writable, bytes: UploadFile["bytes"], signal: AbortSignal): Promise<number> {
  let size = 0;
  for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
    signal.throwIfAborted();
    size += part.length;
    if (!io.write(part)) await untilAborted(once(io, "drain"), signal);
  }
  signal.throwIfAborted();
  return size;
}

function checkPlaced(
  { kind, code, stderr }: CommandOutcome,
  machine: string,
  path: string,
  trouble: (words: string) => Fault,
): void {
  if (kind === "exited" && code === 0) return;
  if (code === 21) throw new Fault("conflict", `a folder stands at ${path} on ${machine}`);
  if (code === 22) throw new Fault("unreachable", `not all of ${path} arrived on ${machine}`);
  throw kind === "timeout" ? new Fault("timeout", `${machine} did not put ${path} in its place`) : trouble(stderr);
}

function faultOf(machine: string, path: string, words: string): Fault {
  const cause = plain(words);
  if (/no space left|quota exceeded/i.test(words)) {
    return new Fault("unreachable", `the disk of ${machine} is full: ${path} was not written`, {
      ...{ hint: "Make room on it.", details: { disk: "full" }, cause },
    });
  }
  if (/permission denied|not permitted|read-only/i.test(words)) {
    return new Fault("denied", `not allowed to write ${path} on ${machine}`, { cause });
  }
  if (/no such file|nonexistent|not a directory/i.test(words)) {
    return new Fault("missing", `there is no folder ${posix.dirname(path)} on ${machine}`, { cause });
  }
  return new Fault(
    "unreachable",
    `${path} could not be written on ${machine}: ${plain(words) || "it does not say why"}`,
  );
}
