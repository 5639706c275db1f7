import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In PEM. */
export interface MadeCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What makes certificates in tests; without it they are skipped. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** A certificate for these names, by nobody's authority. */
export function makeCertificate(...names: readonly string[]): MadeCertificate {
  const folder = mkdtempSync(join(tmpdir(), "fed-certificate-"));
  try {
    const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const words = ["req", "-x509", "-days", "90", ...kind];
    const subject = ["-subj", "/CN=fed", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`];
    execFileSync("openssl", [...words, ...subject, "-keyout", key, "-out", certificate], { stdio: "ignore" });
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
