import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { CertificateDocument } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { GivenCertificate } from "#port/ingress.ts";
import {
  type Certificate,
  type CertificateTrouble,
  covers,
  makeCertificate,
  type ReadCertificate,
  troubleOf,
  troubleText,
} from "./certificate.ts";

export interface CertificatesNeeds {
  readonly events: EventLog;
  readonly clock: Clock;
  origin(): Origin;
  /** What the lab names now for an ingress, and the folder that its paths are relative to. */
  named(place: string): NamedCertificates;
}

export interface NamedCertificates {
  readonly certificates: readonly CertificateDocument[];
  readonly folder: string;
}

/** A host name that wants a given certificate. */
export interface SecuredName {
  /** `environment/service` */
  readonly service: string;
  readonly host: string;
  /** Which ingress leads there: a machine's own by the machine, "" is that of fed. */
  readonly place: string;
}

/** What was read for one ingress. */
export interface Look {
  covers(host: string): boolean;
  /** Changes when what is served does. */
  readonly version: string;
}

/**
 * The certificates that the lab gives to ingresses. One that cannot be had keeps nothing else from being served: names go without TLS
 * that no other is for, and one that was read before goes on.
 */
export interface Certificates {
  /** Reads anew what an ingress is given. */
  look(place: string): Promise<Look>;
  /** Those that can be served, as they were read last. */
  given(place: string): readonly GivenCertificate[];
  /** Whether the name is served over TLS, as far as was read. */
  covers(place: string, host: string): boolean;
  /** What is wrong with the certificate of a name, in words; undefined when all is well, or nothing was read yet. */
  trouble(place: string, host: string): string | undefined;
  /** What would be wrong with them: for plans. Remembers nothing. */
  preview(names: readonly SecuredName[], namedAt: (place: string) => NamedCertificates): Promise<readonly string[]>;
  /** Tells by events what has become of these. */
  tell(names: readonly SecuredName[]): void;
}

export function openCertificates({ events, clock, origin, named }: CertificatesNeeds): Certificates {
  const places = new Map<string, readonly ReadCertificate[]>();
  /** Of each name, the trouble that was told last. */
  const told = new Map<string, CertificateTrouble>();

  return {
    async look(place) {
      const read = await readAll(named(place), places.get(place) ?? []);
      places.set(place, read);
      const given = read.map(({ certificate }) => certificate?.given ?? null);
      // Without what is in them: the version is kept and compared, and a key belongs into no such text.
      const version = createHash("sha256").update(JSON.stringify(given)).digest("hex");
      return { covers: (host) => covers(read, host), version };
    },
    given: (place) => (places.get(place) ?? []).flatMap(({ certificate }) => certificate?.given ?? []),
    covers: (place, host) => covers(places.get(place) ?? [], host),
    trouble(place, host) {
      const read = places.get(place);
      const trouble = read && troubleOf(read, host, clock.nowMs());
      return trouble && troubleText(host, trouble, clock.nowMs());
    },
    async preview(names, namedAt) {
      const wanted = [...new Set(names.map(({ place }) => place))];
      const read = await Promise.all(
        wanted.map(async (place) => [place, await readAll(namedAt(place), places.get(place) ?? [])] as const),
      );
      const byPlace = new Map(read);
      return names.flatMap(({ service, host, place }) => {
        const trouble = troubleOf(byPlace.get(place) ?? [], host, clock.nowMs());
        return trouble ? [`${service}: ${troubleText(host, trouble, clock.nowMs())}`] : [];
      });
    },
    tell(names) {
      const present = new Set(names.map(({ service, host }) => `${service} ${host}`));
      for (const key of told.keys()) if (!present.has(key)) told.delete(key);
      for (const { service, host, place } of names) {
        const read = places.get(place);
        if (read === undefined) continue;
        const key = `${service} ${host}`;
        const [before, now] = [told.get(key), troubleOf(read, host, clock.nowMs())];
        if (JSON.stringify(before) === JSON.stringify(now)) continue;
        if (now === undefined) told.delete(key);
        else told.set(key, now);
        events.note(origin(), `service:${service}`, eventOf(host, now));
      }
    },
  };
}

function eventOf(host: string, trouble: CertificateTrouble | undefined) {
  if (trouble === undefined) return { type: "certificate.good", host } as const;
  if (trouble.kind === "ending") return { type: "certificate.ending", host, endsMs: trouble.endsMs } as const;
  return { type: "certificate.failed", host, reason: trouble.reason, served: trouble.kind === "kept" } as const;
}

/** What cannot be read any more, or is not good, stays as it was before. */
function readAll(
  { certificates, folder }: NamedCertificates,
  before: readonly ReadCertificate[],
): Promise<readonly ReadCertificate[]> {
  return Promise.all(
    certificates.map(async (document) => {
      const earlier = before.find((one) => isSame(one.document, document))?.certificate;
      try {
        return { document, certificate: await readOne(document, folder, earlier), problem: undefined };
      } catch (thrown) {
        return { document, certificate: earlier, problem: toFault(thrown).message };
      }
    }),
  );
}

async function readOne(
  document: CertificateDocument,
  folder: string,
  earlier: Certificate | undefined,
): Promise<Certificate> {
  const read = async (path: string) => {
    const text = await readFileIfThere(resolve(folder, path));
    if (text === undefined) throw new Fault("missing", `the file ${path}, which the lab names, is not there`);
    return text;
  };
  // One after the other: of two that are not there it is always the same that is named.
  const certificate = await read(document.certificate);
  const key = await read(document.key);
  if (earlier?.given.certificate === certificate && earlier.given.key === key) return earlier;
  return makeCertificate({ certificate, key }, document);
}

function isSame(a: CertificateDocument, b: CertificateDocument): boolean {
  return a.certificate === b.certificate && a.key === b.key;
}
