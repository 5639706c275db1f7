/** The engine that runs a machine's containers. */

import type { EngineDocument } from "../document.ts";
import { placed } from "../place.ts";
import { type Cursor, reportType } from "../read/cursor.ts";
import { text } from "../read/scalar.ts";
import { byKind, constant, object, optional, required } from "../read/shape.ts";

export interface EngineProps {
  /** The socket it listens on; the engine's usual one when left out. */
  readonly socket?: `/${string}`;
}

type WrittenEngine<K extends EngineDocument["kind"]> = EngineProps & { readonly kind: K };

/** Docker, at `/var/run/docker.sock` when it is not said. */
export function docker(props: EngineProps = {}): WrittenEngine<"docker"> {
  return placed({ ...props, kind: "docker" });
}

/**
 * Podman, at `/run/podman/podman.sock` when it is not said. Its socket is Debian's unit `podman.socket`.
 *
 * @example podman({ socket: "/run/user/1000/podman/podman.sock" })
 */
export function podman(props: EngineProps = {}): WrittenEngine<"podman"> {
  return placed({ ...props, kind: "podman" });
}

const socket = text({
  what: "the path of a socket",
  pattern: /^\/[^\n]*$/,
  hint: () => 'It begins with a slash, as in "/var/run/docker.sock".',
  // The kernel takes no longer one.
  longest: 107,
});

type OfKind<K extends EngineDocument["kind"]> = EngineDocument & { readonly kind: K };

const readKinds = byKind<OfKind<"docker"> | OfKind<"podman">>("docker() or podman()", {
  docker: object<OfKind<"docker">>("docker", { kind: required(constant("docker")), socket: optional(socket) }),
  podman: object<OfKind<"podman">>("podman", { kind: required(constant("podman")), socket: optional(socket) }),
});

export function readEngine(value: unknown, at: Cursor): EngineDocument | undefined {
  if (typeof value === "string" || typeof value === "function") {
    return reportType(at, "docker() or podman()", value, "Write it with its brackets: docker().");
  }
  return readKinds(value, at);
}
