/** Something that is scraped, and how that went last. */
export interface Target {
  readonly job: string;
  readonly instance: string;
  /** Whose it is; none has what is the hub's own. */
  readonly machine?: string | undefined;
  readonly url: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly lastMs: number;
  readonly tookMs: number;
  /** "" when it went well. */
  readonly error: string;
  /** Names of those that it has said something of. */
  readonly metrics: ReadonlySet<string>;
}

export interface Targets {
  report(target: Target): void;
  /** It is scraped no more. */
  forget(target: Pick<Target, "job" | "instance" | "machine">): void;
  all(): readonly Target[];
}

export function openTargets(): Targets {
  const known = new Map<string, Target>();
  return {
    report: (target) => void known.set(keyOf(target), target),
    forget: (target) => void known.delete(keyOf(target)),
    all: () => [...known.values()],
  };
}

function keyOf({ job, instance, machine = "" }: Pick<Target, "job" | "instance" | "machine">): string {
  return `${machine} ${job} ${instance}`;
}
