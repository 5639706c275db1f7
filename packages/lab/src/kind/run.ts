/** How a service runs: as a process of the machine, from an image, or from an image built here. */

import { splitCommand } from "../command.ts";
import type { RunDocument } from "../document.ts";
import { placed } from "../place.ts";
import { type Cursor, type Read, report, reportType } from "../read/cursor.ts";
import { text } from "../read/scalar.ts";
import { byKind, constant, object, optional, required } from "../read/shape.ts";

/** As people write it: the command may still be one string. */
export type RunProps =
  | { readonly kind: "process"; readonly command: string | readonly string[]; readonly folder?: string }
  | { readonly kind: "image"; readonly reference: string }
  | {
      readonly kind: "build";
      readonly folder: string;
      readonly dockerfile?: string;
      readonly push?: `${string}/${string}`;
    };

/**
 * A process of the machine itself.
 *
 * A string is split into words as a shell would, quotes included, but no shell runs it: `|`, `&&`, `>`, `$VAR` and the
 * like are a mistake that `fed check` reports. Write `["sh", "-c", "…"]` where a shell is wanted.
 *
 * @param options.folder where it runs, relative to the lab's folder; that folder itself when left out.
 * @example process("node server.mjs", { folder: "./site" })
 */
export function process(command: string | readonly string[], options: { readonly folder?: string } = {}): RunProps {
  return placed({ ...options, kind: "process", command });
}

/** A container image from a registry: `image("ghcr.io/immich-app/immich-server:v2.1.0")`. */
export function image(reference: string): RunProps {
  return placed({ kind: "image", reference });
}

/**
 * A container image that fed builds from a folder.
 *
 * @param folder relative to the lab's folder.
 * @param options.dockerfile relative to that folder; `Dockerfile` when left out.
 * @param options.push where each image goes once it is built, such as `"ghcr.io/me/blog"`: the registry is one of the lab's
 * `registries`. Other machines pull it from there. When left out no registry is needed: the image is carried to them.
 * @example build("./blog", { push: "ghcr.io/me/blog" })
 */
export function build(
  folder: string,
  options: { readonly dockerfile?: string; readonly push?: `${string}/${string}` } = {},
): RunProps {
  return placed({ ...options, kind: "build", folder });
}

const word = text({ what: "a word of a command", empty: true });

/** A command as people write it, as the argv it means. */
export const readCommand: Read<readonly string[]> = (value, at) => {
  if (typeof value === "string") {
    const split = splitCommand(value);
    if (split.kind === "argv") return split.argv;
    return report(at, split.kind === "shell" ? "shell-syntax" : "bad-value", split.message, split.hint);
  }
  if (!Array.isArray(value)) return reportType(at, "a command: a text, or a list of words", value);
  const argv = value.map((item: unknown, index) => word(item, { ...at, path: [...at.path, index] }));
  if (value.length === 0 || value[0] === "") return report(at, "empty", "The command names no program.");
  return argv.every((item) => item !== undefined) ? argv : undefined;
};

const folder = text({ what: "the path of a folder", longest: 4096 });

/**
 * Distribution's grammar of references, in short: an optional registry, a lower-case path, an optional tag and digest.
 */
const imageReference = text({
  what: "the reference of an image",
  pattern:
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+:[a-f0-9]{32,})?$/,
  hint: (reference) =>
    /\s|:\/\//.test(reference) ? 'Write it as in "ghcr.io/owner/name:1.2.3".' : "Its path is lower case.",
  longest: 512,
});

function pushHint(repository: string): string | undefined {
  if (/[\s]|:\/\//.test(repository)) return 'Write it as in "ghcr.io/owner/name".';
  if (repository.includes("@") || /:[^/]*$/.test(repository)) {
    return "Write it without a tag: each image gets one of its own, which never moves.";
  }
  return /^[^/]*[.:][^/]*\/|^localhost\//.test(repository)
    ? "Its path is lower case."
    : 'Begin with the registry, as in "ghcr.io/owner/name"; Docker Hub is "docker.io".';
}

const repository = text({
  what: "the repository of a registry",
  pattern:
    /^(?:localhost|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?::\d{1,5})?|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?:\d{1,5})(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+$/,
  hint: pushHint,
  longest: 255,
});

type OfKind<K extends RunDocument["kind"]> = Extract<RunDocument, { readonly kind: K }>;

const readKinds = byKind<RunDocument>("process(…), image(…) or build(…)", {
  process: object<OfKind<"process">>("a process", {
    kind: required(constant("process")),
    command: required(readCommand),
    folder: optional(folder),
  }),
  image: object<OfKind<"image">>("an image", {
    kind: required(constant("image")),
    reference: required(imageReference),
  }),
  build: object<OfKind<"build">>("a build", {
    kind: required(constant("build")),
    folder: required(folder),
    dockerfile: optional(text({ what: "the path of a Dockerfile", longest: 4096 })),
    push: optional(repository),
  }),
});

export function readRun(value: unknown, at: Cursor): RunDocument | undefined {
  if (typeof value !== "string") return readKinds(value, at);
  return reportType(at, "process(…), image(…) or build(…)", value, "Write process(…) around a command.");
}
