/** Health: how fed knows that an instance is ready for requests, and stays so. */

import type { Duration, HealthDocument } from "../document.ts";
import { placed } from "../place.ts";
import type { Read } from "../read/cursor.ts";
import { duration, text } from "../read/scalar.ts";
import { byKind, constant, object, optional, required } from "../read/shape.ts";
import { readCommand } from "./run.ts";

/** When a probe is made and what it may take. */
export interface HealthTiming {
  /** Between two probes, 10ms to 1h; "1s" when left out. */
  readonly every?: Duration;
  /** Of one probe, 10ms to 10m; "5s" when left out. */
  readonly timeout?: Duration;
  /** How long a new instance may take to become healthy, 10ms to 1d; "60s" when left out. */
  readonly within?: Duration;
}

/**
 * As people write it.
 *
 * @example health: http("/health", { every: "1s", timeout: "5s" })
 * @example health: { dev: tcp(), default: command("pg_isready -U blog") }
 */
export type HealthProps =
  | ({ readonly kind: "http"; readonly path: `/${string}` } & HealthTiming)
  | ({ readonly kind: "tcp" } & HealthTiming)
  | ({ readonly kind: "command"; readonly command: string | readonly string[] } & HealthTiming);

/** Healthy while a GET of this path at the service's port answers with a status of 200 to 399. */
export function http(path: `/${string}`, timing: HealthTiming = {}): HealthProps {
  return placed({ ...timing, kind: "http", path });
}

/** Healthy while the service's port takes connections. */
export function tcp(timing: HealthTiming = {}): HealthProps {
  return placed({ ...timing, kind: "tcp" });
}

/**
 * Healthy while this command, run beside the service (inside its container), exits with 0. Split as `process()` does:
 * no shell.
 */
export function command(line: string | readonly string[], timing: HealthTiming = {}): HealthProps {
  return placed({ ...timing, kind: "command", command: line });
}

const timing = {
  every: optional(duration("10ms", "1h")),
  timeout: optional(duration("10ms", "10m")),
  within: optional(duration("10ms", "1d")),
};

type OfKind<K extends HealthDocument["kind"]> = Extract<HealthDocument, { readonly kind: K }>;

export const readHealth: Read<HealthDocument> = byKind<HealthDocument>("http(…), tcp(…) or command(…)", {
  http: object<OfKind<"http">>("an http check", {
    kind: required(constant("http")),
    path: required(
      text({
        what: "a path",
        pattern: /^\/[\x21-\x7e]*$/,
        hint: (path) => (path.startsWith("/") ? "Write other letters percent-encoded." : "It begins with a slash."),
        longest: 2048,
      }),
    ),
    ...timing,
  }),
  tcp: object<OfKind<"tcp">>("a tcp check", { kind: required(constant("tcp")), ...timing }),
  command: object<OfKind<"command">>("a command check", {
    kind: required(constant("command")),
    command: required(readCommand),
    ...timing,
  }),
});
