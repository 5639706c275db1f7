/**
 * A lab over several files: a base (machines, environments, secrets, registries, metrics), parts (services) and their assembly. A part says
 * which parts it uses, as a file says what it imports; the compiler then checks every name in it, at its own token.
 */

import { type Diagnostic, LabError } from "./diagnostic.ts";
import type { EnvironmentMap } from "./kind/environment.ts";
import type { MachineProps } from "./kind/machine.ts";
import type { MetricsProps } from "./kind/metrics.ts";
import type { RegistryProps } from "./kind/registry.ts";
import type { SecretProps } from "./kind/secret.ts";
import type { ServiceProps } from "./kind/service.ts";
import { type Lab, readLab } from "./lab.ts";
import { placed, placeOf } from "./place.ts";
import { isPlainObject } from "./read/cursor.ts";

/** Everything of a lab but its services. */
export interface BaseProps<M extends string, E extends string, X extends string> {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  /** What `server()` and `workstation()` return, by name. */
  readonly machines: { readonly [K in M]: MachineProps<NoInfer<M>, NoInfer<X>> };
  readonly environments: EnvironmentMap<M, E>;
  readonly secrets?: { readonly [K in X]: SecretProps<NoInfer<E>> };
  readonly registries?: Readonly<Record<string, RegistryProps<NoInfer<X>>>>;
  readonly metrics?: MetricsProps<NoInfer<X>>;
}

/** What `defineBase` returns: it stands for the lab in `definePart` and `assembleLab`. */
export interface Base<M extends string, E extends string, X extends string> {
  readonly kind: "base";
  /** As written; checked when the lab is assembled. */
  readonly written: BaseProps<M, E, X>;
}

/** Some services of a lab: it has the services `S`, and refers to the services `U` of other parts. */
export interface Part<S extends string, U extends string> {
  readonly kind: "part";
  readonly base: object;
  /** As written; checked when the lab is assembled. */
  readonly services: Readonly<Record<S, unknown>>;
  /** Names of services of other parts that it relies on. */
  readonly uses: readonly U[];
}

/** A part this one uses, or the name of a service that a part elsewhere has. */
type Used<U extends string> = Part<U, string> | U;

export interface PartProps<M extends string, E extends string, X extends string, S extends string, U extends string> {
  /**
   * Parts whose services this one refers to. Where two files refer to each other, one of them names the other's
   * services instead: `uses: ["blog"]`. `assembleLab` checks that they are there.
   */
  readonly uses?: readonly Used<U>[];
  readonly services: {
    readonly [K in S]: ServiceProps<NoInfer<M>, NoInfer<E>, NoInfer<X>, NoInfer<S> | NoInfer<U>>;
  };
}

type AnyPart = Part<string, string>;
type ServicesOf<P> = P extends Part<infer S, string> ? S : never;
type UsesOf<P> = P extends Part<string, infer U> ? U : never;

/** The services of all parts but the one at `I`. */
type ServicesBeside<P extends readonly AnyPart[], I extends keyof P> = {
  [J in keyof P]: J extends I ? never : ServicesOf<P[J]>;
}[number];

/** Each part, or in its place the sentence the compiler shows. */
type Checked<P extends readonly AnyPart[]> = {
  readonly [I in keyof P]: [Exclude<UsesOf<P[I]>, ServicesOf<P[number]>>] extends [never]
    ? [ServicesOf<P[I]> & ServicesBeside<P, I>] extends [never]
      ? P[I]
      : `another part also has the service "${ServicesOf<P[I]> & ServicesBeside<P, I>}"`
    : `it uses the service "${Exclude<UsesOf<P[I]>, ServicesOf<P[number]>>}", which no part in this list has`;
};

/**
 * The base of a lab over several files: its machines, environments and secrets. Machines may come from files of their
 * own, spread into the map; the compiler still knows their names.
 *
 * @example export const base = defineBase({ name: "ocean", machines, environments: { dev: { machines: ["hub"] } } });
 */
export function defineBase<M extends string = never, E extends string = never, X extends string = never>(
  base: BaseProps<M, E, X>,
): Base<M, E, X> {
  return placed(Object.freeze({ kind: "base", written: base }));
}

/**
 * Some services of a lab, in a file of their own. Every name in them is checked: machines, environments and secrets are
 * those of the base; services are those of this part and of the parts it uses.
 *
 * @example
 * export const web = definePart(base, {
 *   uses: [data],
 *   services: { blog: { run: build("./blog"), needs: ["db"] } },
 * });
 */
export function definePart<
  M extends string,
  E extends string,
  X extends string,
  S extends string = never,
  U extends string = never,
>(base: Base<M, E, X>, part: PartProps<M, E, X, S, U>): Part<NoInfer<S>, NoInfer<U>> {
  // From JavaScript the part may be anything: assembleLab says so, with the rest.
  const { services, uses = [] } = isPlainObject(part) ? part : ({} as Partial<typeof part>);
  const names = [...uses].flatMap((used) => (typeof used === "string" ? [used] : Object.keys(used.services)));
  return placed(Object.freeze({ kind: "part", base, services, uses: names })) as unknown as Part<S, U>;
}

/**
 * The lab of a base and its parts: the default export of `lab.ts`. The compiler refuses a part that uses services which
 * no part has, and two parts with one service. Returns the checked document, frozen, as `defineLab` does. Throws
 * LabError with everything that is wrong.
 *
 * @example export default assembleLab(base, [data, web]);
 */
export function assembleLab<M extends string, E extends string, X extends string, const P extends readonly AnyPart[]>(
  base: Base<M, E, X>,
  parts: P & Checked<P>,
): Lab<M, E, X, ServicesOf<P[number]>> {
  const { services, diagnostics } = gather(base, parts);
  const written = isPlainObject(base) ? base.written : {};
  const reading = readLab(placed({ ...written, services: Object.fromEntries(services) }));
  if (reading.lab === undefined || diagnostics.length > 0) throw new LabError([...diagnostics, ...reading.diagnostics]);
  return reading.lab as Lab<M, E, X, ServicesOf<P[number]>>;
}

/** The services of all parts, and what is wrong with the parts themselves. */
function gather(base: object, parts: readonly AnyPart[]) {
  const services = new Map<string, unknown>();
  const diagnostics: Diagnostic[] = [];
  for (const part of parts) {
    if (!isPlainObject(part) || !isPlainObject(part.services)) {
      const message = "Expected what definePart returns, with a map of services by name.";
      diagnostics.push(withPlace(part, { code: "wrong-type", path: "services", message }));
      continue;
    }
    if (part.base !== base) diagnostics.push(foreign(part));
    for (const [name, service] of Object.entries(part.services)) {
      if (services.has(name)) diagnostics.push(twice(part, name));
      else services.set(name, service);
    }
  }
  return { services, diagnostics };
}

function withPlace(part: AnyPart, diagnostic: Omit<Diagnostic, "at" | "severity">): Diagnostic {
  const at = placeOf(part);
  return { ...diagnostic, severity: "error", ...(at === undefined ? {} : { at }) };
}

function foreign(part: AnyPart): Diagnostic {
  const names = Object.keys(part.services).slice(0, 3).join(", ");
  return withPlace(part, {
    code: "foreign-part",
    path: "services",
    message: `The part with ${names === "" ? "no services" : names} belongs to another base.`,
    hint: "Define it with the base that assembleLab is given.",
  });
}

function twice(part: AnyPart, name: string): Diagnostic {
  return withPlace(part, {
    code: "duplicate",
    path: `services.${name}`,
    message: `Two parts have a service ${name}.`,
    hint: "Rename one of them.",
  });
}
