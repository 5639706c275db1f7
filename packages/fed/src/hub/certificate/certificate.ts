import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertificateDocument } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import type { GivenCertificate } from "#port/ingress.ts";

/** A certificate that can be served. */
export interface Certificate {
  readonly given: GivenCertificate;
  readonly leaf: X509Certificate;
  readonly endsMs: number;
}

/** What the lab names, as it was read last: with `problem` it cannot be had now, and what there is of it is from before. */
export interface ReadCertificate {
  readonly document: CertificateDocument;
  readonly certificate: Certificate | undefined;
  readonly problem: string | undefined;
}

/** What people must know of the certificate of a host name. */
export type CertificateTrouble =
  /** The name is served without TLS. */
  | { readonly kind: "missing"; readonly reason: string }
  /** Its new files cannot be taken: the one from before is served. */
  | { readonly kind: "kept"; readonly reason: string }
  /** It ends soon, or has ended. */
  | { readonly kind: "ending"; readonly endsMs: number };

/** So long before its end people are told. */
const warnBeforeMs = 14 * 24 * 3_600_000;

/** The files' content as a certificate. Fault `invalid` names the file and never tells what is in it. */
export function makeCertificate(given: GivenCertificate, document: CertificateDocument): Certificate {
  const refuse = (reason: string) => new Fault("invalid", reason);
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(given.certificate);
  } catch {
    throw refuse(`${document.certificate} is no certificate in PEM`);
  }
  let fits: boolean;
  try {
    fits = leaf.checkPrivateKey(createPrivateKey(given.key));
  } catch {
    throw refuse(`${document.key} is no key in PEM, or has a password`);
  }
  if (!fits) throw refuse(`the key in ${document.key} is not that of the certificate in ${document.certificate}`);
  return { given, leaf, endsMs: Date.parse(leaf.validTo) };
}

export function covers(read: readonly ReadCertificate[], host: string): boolean {
  return read.some(({ certificate }) => certificate?.leaf.checkHost(host) !== undefined);
}

/** What is wrong with the certificate of this name, or soon will be; undefined when all is well. Pure. */
export function troubleOf(
  read: readonly ReadCertificate[],
  host: string,
  nowMs: number,
): CertificateTrouble | undefined {
  const own = read.filter(({ certificate }) => certificate?.leaf.checkHost(host) !== undefined);
  if (own.length === 0) {
    const problem = read.find(({ certificate }) => certificate === undefined)?.problem;
    return { kind: "missing", reason: problem ?? `none of the given certificates is for ${host}` };
  }
  const problems = own.map(({ problem }) => problem);
  const [problem] = problems;
  if (problem !== undefined && problems.every((one) => one !== undefined)) return { kind: "kept", reason: problem };
  const endsMs = Math.max(...own.map(({ certificate }) => certificate?.endsMs ?? 0));
  return endsMs - nowMs < warnBeforeMs ? { kind: "ending", endsMs } : undefined;
}

/** The trouble as a sentence without its dot. */
export function troubleText(host: string, trouble: CertificateTrouble, nowMs: number): string {
  switch (trouble.kind) {
    case "missing":
      return `${host} is served without TLS: ${trouble.reason}`;
    case "kept":
      return `the certificate of ${host} stays the one from before: ${trouble.reason}`;
    case "ending": {
      const day = new Date(trouble.endsMs).toISOString().slice(0, 10);
      const verb = trouble.endsMs <= nowMs ? "has ended" : "ends";
      return `the certificate of ${host} ${verb} on ${day}; new files are taken by themselves`;
    }
  }
}
