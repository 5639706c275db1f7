import type { Env } from "./env.ts";
import type { Screen } from "./print.ts";

/**
 * A command is data and one function. Parsing, help, completion and "did you mean" are read from the data, so what a
 * person can type is written down once. Flags are named in camelCase here and typed as `--kebab-case`; `--json` and
 * `--help` belong to the frame and exist for every command.
 */

/** What a word on the command line is; says how it is checked, shown in help and completed. */
export type ValueSpec =
  | { readonly kind: "text" }
  /** An existing or future file; made absolute. */
  | { readonly kind: "file" }
  /** An existing or future folder; made absolute. */
  | { readonly kind: "folder" }
  /** 0 to 65535; 0 asks for a free one. */
  | { readonly kind: "port" }
  /** An http or https address; comes back without a trailing slash. */
  | { readonly kind: "url" }
  /** A host name or an IP address. */
  | { readonly kind: "host" }
  | { readonly kind: "count"; readonly min: number; readonly max: number }
  | { readonly kind: "choice"; readonly of: readonly string[] }
  /** Name of a service of the lab, or `environment/service`. */
  | { readonly kind: "service" }
  /** Name of a command of fed. */
  | { readonly kind: "command" }
  /** Taken as it is, empty or not. */
  | { readonly kind: "word" };

/** A positional argument. */
export type ArgSpec = ValueSpec & {
  readonly description: string;
  readonly optional?: boolean;
  /** Takes all that follow; only the last argument may. */
  readonly many?: boolean;
};

export type FlagSpec = (
  | { readonly kind: "switch" }
  | (ValueSpec & {
      /** Placeholder in help, such as `DIR`; the kind in capitals when left out. */
      readonly value?: string;
      readonly default?: string | number;
      /** May be given more than once. */
      readonly many?: boolean;
    })
) & {
  readonly description: string;
  /** One letter. */
  readonly short?: string;
};

/** In order of their place on the command line. */
export type ArgSpecs = Readonly<Record<string, ArgSpec>>;
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

type ValueOf<S> = S extends { readonly kind: "port" | "count" }
  ? number
  : S extends { readonly kind: "choice"; readonly of: readonly (infer Choice)[] }
    ? Choice
    : string;

type ArgValue<S> = S extends { readonly many: true }
  ? readonly ValueOf<S>[]
  : S extends { readonly optional: true }
    ? ValueOf<S> | undefined
    : ValueOf<S>;

type FlagValue<S> = S extends { readonly kind: "switch" }
  ? boolean
  : S extends { readonly many: true }
    ? readonly ValueOf<S>[]
    : S extends { readonly default: string | number }
      ? ValueOf<S>
      : ValueOf<S> | undefined;

type ArgValues<A> = { readonly [K in keyof A]: ArgValue<A[K]> };
type FlagValues<F> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** One use of a command: everything it may know of the world outside. */
export interface Call<A = ArgSpecs, F = FlagSpecs> {
  readonly args: ArgValues<A>;
  readonly flags: FlagValues<F>;
  readonly env: Env;
  readonly screen: Screen;
  /** Aborts on Ctrl-C, SIGTERM, a closed terminal, or when nobody reads the output any more. Clean up, then return or throw. */
  readonly signal: AbortSignal;
  readonly program: Program;
}

interface Example {
  readonly line: string;
  readonly says: string;
}

export interface Command<A extends ArgSpecs = ArgSpecs, F extends FlagSpecs = FlagSpecs> {
  readonly args: A;
  readonly flags: F;
  /** At least one. */
  readonly examples: readonly Example[];
  /** A few sentences more than the summary of the table, one per line. */
  readonly details?: readonly string[];
  /** The exit code. Throws a Fault for what it did not plan for; the frame prints it and exits by the fault table. */
  run(call: Call<A, F>): Promise<number>;
}

/** Types `call.args` and `call.flags` from the specs. */
export function defineCommand<const A extends ArgSpecs, const F extends FlagSpecs>(command: Command<A, F>): Command {
  return command;
}

/** `Hidden` is for programs (a shell that completes): help and completion leave it out. */
export type Group = "Write" | "Run" | "See" | "Let in" | "Keep" | "Hidden";

/** A line of the table: what help shows without loading the command. */
export interface CommandEntry {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  load(): Promise<Command>;
}

/** Commands of two words that share the first: `user add`, `user list`. */
export interface Family {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
}

export interface Program {
  readonly families: readonly Family[];
  readonly name: string;
  readonly version: string;
  readonly entries: readonly CommandEntry[];
}

/** `ingressPort` as it is typed: `ingress-port`. */
export function flagWord(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
