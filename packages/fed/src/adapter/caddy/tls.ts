/** Certificates: which names Caddy gets them for, from where, and those that it is given. */
import { X509Certificate } from "node:crypto";
import { Fault } from "#base/fault.ts";
import type { GivenCertificate, IngressRoute } from "#port/ingress.ts";
import { plainHost } from "./board.ts";
import { type Json, type JsonObject, listOf, objectOf, without } from "./json.ts";

export interface TlsNeeds {
  /** Caddy keeps them in its configuration, with their keys. */
  readonly certificates: readonly GivenCertificate[];
  readonly acme: { readonly email?: string | undefined; readonly directory?: string | undefined };
}

/** Fault `missing` when a route wants a given certificate and none is for its name; `invalid` for one that cannot be read. */
export function checkCertificates(routes: readonly IngressRoute[], { certificates }: TlsNeeds): void {
  const wanted = routes.flatMap(({ match, service }) =>
    match.kind === "host" && match.tls?.kind === "given" ? [{ host: plainHost(match.host), service }] : [],
  );
  if (wanted.length === 0) return;
  const known = certificates.map(({ certificate }) => readCertificate(certificate));
  for (const { host, service } of wanted) {
    if (known.some((one) => one.checkHost(host) !== undefined)) continue;
    throw new Fault("missing", `no given certificate is for ${host}, the host name of ${service}`, {
      hint: "Give the ingress one for this name, or let Caddy make it: tls internal or acme.",
    });
  }
}

function readCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new Fault("invalid", "a given certificate is no PEM certificate", { cause });
  }
}

/** The configuration with fed's part of the app `tls`, in place of the one it had. */
export function withTls(root: JsonObject, routes: readonly IngressRoute[], needs: TlsNeeds): Json {
  const apps = objectOf(root.apps);
  const tls = objectOf(apps.tls);
  const names = (kind: string) =>
    routes.flatMap(({ match }) => (match.kind === "host" && match.tls?.kind === kind ? [plainHost(match.host)] : []));
  const policies = [
    policy("fed-internal", names("internal"), { module: "internal" }),
    policy("fed-acme", names("acme"), acmeIssuer(needs)),
  ].flat();
  const given = names("given").length === 0 ? [] : needs.certificates;
  const pem = given.map(({ certificate, key }, i): Json => ({ "@id": `fed-certificate-${i}`, certificate, key }));
  const next = {
    ...tls,
    ...joined(tls, "certificates", "load_pem", pem),
    ...joined(tls, "automation", "policies", policies),
  };
  const part = { tls: next, pki: withAuthority(objectOf(apps.pki), names("internal").length > 0) };
  const isEmpty = (name: "tls" | "pki") => Object.keys(part[name]).length === 0;
  const kept = (["tls", "pki"] as const).filter((name) => !isEmpty(name)).map((name) => [name, part[name]]);
  return { ...root, apps: { ...without(apps, "tls", "pki"), ...Object.fromEntries(kept) } };
}

/** Where Caddy's own authority is needed: otherwise Caddy would add it to those that the machine trusts. */
function withAuthority(pki: JsonObject, isNeeded: boolean): JsonObject {
  const all = objectOf(pki.certificate_authorities);
  const theirs = isOurs(all.local) ? without(all, "local") : all;
  const ours =
    isNeeded && theirs.local === undefined ? { local: { "@id": "fed-authority", install_trust: false } } : {};
  const authorities = { ...theirs, ...ours };
  const rest = without(pki, "certificate_authorities");
  return Object.keys(authorities).length === 0 ? rest : { ...rest, certificate_authorities: authorities };
}

function isOurs(part: Json | undefined): boolean {
  return String(objectOf(part)["@id"] ?? "").startsWith("fed-");
}

function policy(id: string, subjects: readonly string[], issuer: JsonObject): readonly Json[] {
  return subjects.length === 0 ? [] : [{ "@id": id, subjects, issuers: [issuer] }];
}

function acmeIssuer({ acme }: TlsNeeds): JsonObject {
  return {
    module: "acme",
    ...(acme.email === undefined ? {} : { email: acme.email }),
    ...(acme.directory === undefined ? {} : { ca: acme.directory }),
  };
}

/** A list deep in the object with ours before those of others; without ours and theirs, nothing. */
function joined(object: JsonObject, outer: string, inner: string, ours: readonly Json[]): JsonObject {
  const holder = objectOf(object[outer]);
  const theirs = listOf(holder[inner]).filter((one) => !isOurs(one));
  const list = [...ours, ...theirs];
  if (list.length === 0 && holder[inner] === undefined) return {};
  return { [outer]: { ...holder, [inner]: list } };
}
