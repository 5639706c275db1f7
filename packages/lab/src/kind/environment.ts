/** An environment: a set of machines on which services run side by side, such as dev, staging and prod. */

import type { EnvironmentDocument } from "../document.ts";
import type { Read } from "../read/cursor.ts";
import { flag, reference } from "../read/scalar.ts";
import { list, object, optional, required } from "../read/shape.ts";
import type { NonEmptyList } from "./list.ts";

/**
 * What an environment is.
 *
 * @example
 * environments: {
 *   dev:  { machines: ["hub"] },
 *   prod: { machines: ["node5", "node6"], promoteFrom: "dev", approval: true },
 * }
 */
export interface EnvironmentProps<M extends string = string, E extends string = string> {
  /** Names of its machines, at least one. A service that does not say `on` runs on the first. */
  readonly machines: NonEmptyList<M>;
  /** A release comes here only after it ran in that environment. */
  readonly promoteFrom?: E;
  /** A person must say yes before a release comes here. False when left out. */
  readonly approval?: boolean;
}

/** Names that would be ambiguous as keys of a map by environment: a compile error that says so. */
type ReservedEnvironment = "default" | "kind" | "secret" | "secretFile" | "service";

/** The environments of a lab, by name. */
export type EnvironmentMap<M extends string, E extends string> = {
  readonly [K in E]: K extends ReservedEnvironment
    ? `an environment cannot be called "${K}"`
    : EnvironmentProps<NoInfer<M>, NoInfer<E>>;
};

export const readEnvironment: Read<EnvironmentDocument> = object<EnvironmentDocument>("an environment", {
  machines: required(list("a list of machines", reference("machine"), 1)),
  promoteFrom: optional(reference("environment")),
  approval: optional(flag),
});
