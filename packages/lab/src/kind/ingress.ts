/** The ingress of a machine: what leads requests for host names to the services there, and where certificates come from. */

import type { CertificateDocument, IngressDocument, TlsWord } from "../document.ts";
import { placed } from "../place.ts";
import { type Read, report } from "../read/cursor.ts";
import { number, text } from "../read/scalar.ts";
import { byKind, constant, list, object, optional, required } from "../read/shape.ts";
import type { NonEmptyList } from "./list.ts";

/** A certificate in PEM files of the hub's machine; paths are absolute or relative to the lab's folder. */
export interface CertificateProps {
  /** The certificate itself, then those that lead to its authority: `fullchain.pem`. */
  readonly certificate: string;
  /** Its private key: `privkey.pem`. Keep it out of Git. */
  readonly key: string;
}

/** fed's own ingress, which runs in the hub. */
export interface BuiltinProps {
  /** Certificates for host names that are served with TLS. They are read again when their files change. */
  readonly certificates?: NonEmptyList<CertificateProps>;
  /** Where it takes TLS; a port beside the one for plain HTTP when left out. */
  readonly httpsPort?: number;
  /** For routes that do not say `tls` themselves; none when left out. */
  readonly tls?: "none" | "given";
}

/** A Caddy of your own. fed adds its routes over the admin API, and leaves the rest of the configuration as it is. */
export interface CaddyProps {
  /** Its admin API as seen on its machine, `"http://127.0.0.1:2019"` when left out; a socket is `"unix//run/caddy/admin.sock"`. */
  readonly admin?: `http://${string}` | `unix//${string}`;
  /** Where it takes plain HTTP; 80 when left out. */
  readonly httpPort?: number;
  /** Where it takes TLS; 443 when left out. */
  readonly httpsPort?: number;
  /**
   * For routes that do not say `tls` themselves; none when left out. `"acme"`: from a public authority, for names that the internet
   * knows. `"internal"`: from an authority of Caddy's own, which browsers have to be told of. `"given"`: one of `certificates`.
   */
  readonly tls?: TlsWord;
  readonly certificates?: NonEmptyList<CertificateProps>;
  /** Where the public authority may write when something is wrong with a certificate. */
  readonly email?: `${string}@${string}`;
  /** The directory of another authority that speaks ACME: `"https://ca.lan/acme/acme/directory"`. */
  readonly directory?: `https://${string}`;
}

/**
 * What `builtin()` and `caddy()` return.
 *
 * @example
 * machines: {
 *   hub: server({
 *     address: "local",
 *     ingress: builtin({ tls: "given", certificates: [{ certificate: "./tls/fullchain.pem", key: "./tls/privkey.pem" }] }),
 *   }),
 *   web: server({ address: "10.0.0.2", ingress: caddy({ tls: "acme", email: "ada@example.org" }) }),
 * }
 */
export type IngressProps = (BuiltinProps & { readonly kind: "builtin" }) | (CaddyProps & { readonly kind: "caddy" });

/** fed's own ingress, which runs in the hub: for the hub's own machine. It is there anyway; here stands how it serves TLS. */
export function builtin(props: BuiltinProps): BuiltinProps & { readonly kind: "builtin" } {
  return placed({ ...props, kind: "builtin" });
}

/** A Caddy 2.6 or newer of your own that runs on the machine and serves the routes of what runs there. */
export function caddy(props: CaddyProps = {}): CaddyProps & { readonly kind: "caddy" } {
  return placed({ ...props, kind: "caddy" });
}

const words = ["none", "given", "internal", "acme"] as const satisfies readonly TlsWord[];

/** Where the certificate of a route comes from. */
export const readTls: Read<TlsWord> = (value, at) => {
  const word = words.find((one) => one === value);
  if (word !== undefined) return word;
  const hint = value === true ? 'Say where the certificate comes from: "acme", "internal" or "given".' : undefined;
  const found = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
  return report(
    at,
    typeof value === "string" ? "bad-value" : "wrong-type",
    `Expected "none", "given", "internal" or "acme", found ${found}.`,
    hint,
  );
};

const path = text({ what: "the path of a PEM file", pattern: /^[^\n]*$/, longest: 4096 });
const port = number({ what: "a port", min: 1, max: 65_535, whole: true });

const readCertificate = object<CertificateDocument>("a certificate", {
  certificate: required(path),
  key: required(path),
});
const readCertificates: Read<readonly CertificateDocument[]> = list("a list of certificates", readCertificate, 1);

type OfKind<K extends IngressDocument["kind"]> = Extract<IngressDocument, { readonly kind: K }>;

export const readIngress: Read<IngressDocument> = byKind<IngressDocument>("caddy({ … }) or builtin({ … })", {
  builtin: object<OfKind<"builtin">>("fed's own ingress", {
    kind: required(constant("builtin")),
    certificates: optional(readCertificates),
    httpsPort: optional(port),
    tls: optional(readTls),
  }),
  caddy: object<OfKind<"caddy">>("a Caddy", {
    kind: required(constant("caddy")),
    admin: optional(
      text({
        what: "the address of an admin API",
        pattern: /^(?:http:\/\/[A-Za-z0-9.:[\]-]+\/?|unix\/\/[^\n]+)$/,
        hint: () => 'Write it as in "http://127.0.0.1:2019" or "unix//run/caddy/admin.sock".',
        longest: 253,
      }),
    ),
    httpPort: optional(port),
    httpsPort: optional(port),
    tls: optional(readTls),
    certificates: optional(readCertificates),
    email: optional(text({ what: "a mail address", pattern: /^[^\s@]+@[^\s@]+$/, longest: 254 })),
    directory: optional(
      text({ what: "an address that begins with https://", pattern: /^https:\/\/\S+$/, longest: 2048 }),
    ),
  }),
});
