/** Something that is scraped, and how that went last. */
export interface Target {
  readonly job: string;
  readonly instance: string;
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
  all(): readonly Target[];
}

export function openTargets(): Targets {
  const known = new Map<string, Target>();
  return {
    report: (target) => void known.set(`${target.job} ${target.instance}`, target),
    all: () => [...known.values()],
  };
}
