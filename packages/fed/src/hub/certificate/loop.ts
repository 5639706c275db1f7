import type { Certificates, SecuredName } from "./verbs.ts";

export interface CertificateLoopNeeds {
  readonly certificates: Certificates;
  /** The names that want one now. */
  names(): readonly SecuredName[];
  /** What ingresses are given is not what it was. */
  onChange(signal: AbortSignal): Promise<void>;
}

/** Files change without an event that all file systems have, and certificates end without one. */
export function certificateLoop({ certificates, names, onChange }: CertificateLoopNeeds) {
  const versions = new Map<string, string>();
  return {
    ...{ name: "certificate.look", intervalMs: 10_000, jitter: 0.1, timeoutMs: 60_000 },
    async run(signal: AbortSignal) {
      const wanted = names();
      let changed = false;
      for (const place of new Set(wanted.map((one) => one.place))) {
        const { version } = await certificates.look(place);
        changed ||= versions.get(place) !== version;
        versions.set(place, version);
      }
      certificates.tell(wanted);
      if (changed) await onChange(signal);
    },
  };
}
