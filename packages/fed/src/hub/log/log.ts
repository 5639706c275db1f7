/** Output of instances that are gone: what is kept of it, and for how long. Pure. */

/** An instance that has ended, and is about to be forgotten by its runtime. */
export interface EndedInstance {
  readonly instance: string;
  readonly environment: string;
  readonly service: string;
  readonly release: string | undefined;
  readonly startedMs: number;
  readonly endedMs: number;
  /** How it ended, in words. */
  readonly exit: string;
}

export interface KeptLog extends EndedInstance {
  /** On the disk. */
  readonly sizeBytes: number;
}

export interface LogRetention {
  readonly perService: { readonly instances: number; readonly bytes: number };
  /** Of all services together. */
  readonly bytes: number;
  readonly maxAgeMs: number;
}

const defaultLogRetention: LogRetention = {
  // Two whole releases of a service with ten replicas, or the last twenty crashes.
  perService: { instances: 20, bytes: 128 * 1024 * 1024 },
  bytes: 2 * 1024 * 1024 * 1024,
  maxAgeMs: 30 * 86_400_000,
};

/** What goes, of all that is kept: the oldest first, but never the newest of a service for want of room. */
export function outdatedOf(
  logs: readonly KeptLog[],
  nowMs: number,
  retention: LogRetention = defaultLogRetention,
): readonly KeptLog[] {
  const { perService, maxAgeMs } = retention;
  const services = new Map<string, { instances: number; bytes: number }>();
  let bytes = 0;
  const newestFirst = logs.toSorted((a, b) => b.endedMs - a.endedMs || (a.instance < b.instance ? 1 : -1));
  return newestFirst.filter((log) => {
    const key = `${log.environment}/${log.service}`;
    const used = services.get(key) ?? { instances: 0, bytes: 0 };
    const isNewest = used.instances === 0;
    const fits =
      used.instances < perService.instances &&
      used.bytes + log.sizeBytes <= perService.bytes &&
      bytes + log.sizeBytes <= retention.bytes;
    if (log.endedMs + maxAgeMs <= nowMs || !(fits || isNewest)) return true;
    services.set(key, { instances: used.instances + 1, bytes: used.bytes + log.sizeBytes });
    bytes += log.sizeBytes;
    return false;
  });
}
