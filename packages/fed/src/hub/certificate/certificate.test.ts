import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateDocument } from "@fed/lab";
import { describe, expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import { hasOpenssl, type MadeCertificate, makeCertificate } from "#port/certificate.scene.ts";
import { certificateLoop } from "./loop.ts";
import { openCertificates } from "./verbs.ts";

const host = "web.lan";
const names = [{ service: "dev/web", host, place: "" }];
const files: CertificateDocument = { certificate: "full.pem", key: "key.pem" };
const { signal } = new AbortController();

function makeStage() {
  const clock = handClock(Date.now());
  const folder = tempFolder();
  const told: unknown[] = [];
  const note: EventLog["note"] = (_origin, subject, data) => told.push([subject, data]) > 0;
  let documents: readonly CertificateDocument[] = [files];
  const certificates = openCertificates({
    ...{ clock, events: { note } as EventLog },
    origin: () => ({ actor: "hub", correlation: "c" }),
    named: () => ({ certificates: documents, folder }),
  });
  let changes = 0;
  const loop = certificateLoop({
    ...{ certificates, names: () => names },
    async onChange() {
      changes++;
    },
  });
  return {
    ...{ clock, certificates, folder },
    write: (made: Partial<MadeCertificate>) =>
      Promise.all([
        made.certificate === undefined ? undefined : writeFile(join(folder, files.certificate), made.certificate),
        made.key === undefined ? undefined : writeFile(join(folder, files.key), made.key),
      ]),
    name(next: readonly CertificateDocument[]) {
      documents = next;
    },
    trouble: () => certificates.trouble("", host),
    /** A turn of the loop; the events that came of it, and whether ingresses were to hear. */
    async turn() {
      const before = changes;
      await loop.run(signal);
      return { told: told.splice(0), changed: changes > before };
    },
  };
}

if (!hasOpenssl) {
  describe("without openssl", () => {
    test.skip("given certificates: openssl is not there to make them", () => {});
  });
}

describe.runIf(hasOpenssl)("given certificates", () => {
  test("of files that are not there a name goes without TLS, until they are; it is told once each", async () => {
    const { certificates, write, turn, trouble } = makeStage();
    expect(trouble()).toBeUndefined();
    const reason = "the file full.pem, which the lab names, is not there";
    const failed = ["service:dev/web", { type: "certificate.failed", host, reason, served: false }];
    expect(await turn()).toEqual({ told: [failed], changed: true });
    expect(trouble()).toBe(`web.lan is served without TLS: ${reason}`);
    expect([certificates.given(""), certificates.covers("", host)]).toEqual([[], false]);
    expect(await turn()).toEqual({ told: [], changed: false });
    const made = makeCertificate(host);
    await write(made);
    expect(await turn()).toEqual({ told: [["service:dev/web", { type: "certificate.good", host }]], changed: true });
    expect([trouble(), certificates.given(""), certificates.covers("", host)]).toEqual([undefined, [made], true]);
  });

  test.each([
    ["no certificate", () => ({ certificate: "hello" }), "full.pem is no certificate in PEM"],
    ["no key", () => ({ key: "hello" }), "key.pem is no key in PEM, or has a password"],
    [
      "another key",
      () => ({ key: makeCertificate(host).key }),
      "the key in key.pem is not that of the certificate in full.pem",
    ],
  ])("%s: what was read before goes on, and nothing of the file is told", async (_, bad, reason) => {
    const { certificates, write, turn, trouble } = makeStage();
    const made = makeCertificate(host);
    await write(made);
    await turn();
    await write(bad());
    const failed = { type: "certificate.failed", host, reason, served: true };
    expect(await turn()).toEqual({ told: [["service:dev/web", failed]], changed: false });
    expect(trouble()).toBe(`the certificate of web.lan stays the one from before: ${reason}`);
    expect(certificates.given("")).toEqual([made]);
    const renewed = makeCertificate(host);
    await write(renewed);
    expect((await turn()).changed).toBe(true);
    expect([trouble(), certificates.given("")]).toEqual([undefined, [renewed]]);
  });

  test("one that cannot be read spoils no other, and a name that none is for says so", async () => {
    const { certificates, write, name, trouble } = makeStage();
    const other = makeCertificate("other.lan");
    await write(other);
    name([{ certificate: "gone.pem", key: "gone.key" }, files]);
    await certificates.look("");
    expect(certificates.given("")).toEqual([other]);
    expect(certificates.trouble("", "other.lan")).toBeUndefined();
    expect(trouble()).toContain("the file gone.pem");
    name([files]);
    await certificates.look("");
    expect(trouble()).toBe("web.lan is served without TLS: none of the given certificates is for web.lan");
    name([]);
    await certificates.look("");
    expect(certificates.given("")).toEqual([]);
  });

  test("14 days before its end it is told, and once more when it has ended", async () => {
    const { clock, certificates, write, turn, trouble } = makeStage();
    await write(makeCertificate(host));
    expect((await turn()).told).toEqual([]);
    const dayMs = 24 * 3_600_000;
    await clock.turn(77 * dayMs);
    expect((await turn()).told).toEqual([
      ["service:dev/web", { type: "certificate.ending", host, endsMs: expect.any(Number) }],
    ]);
    expect(trouble()).toMatch(/^the certificate of web\.lan ends on 20\d\d-\d\d-\d\d; new files/);
    expect(await turn()).toEqual({ told: [], changed: false });
    await clock.turn(14 * dayMs);
    expect(trouble()).toMatch(/ has ended on /);
    expect(certificates.covers("", host)).toBe(true);
  });

  test("a plan says what another lab would lack, and nothing is remembered of it", async () => {
    const { certificates, folder, trouble } = makeStage();
    const lab = { certificates: [{ certificate: "new.pem", key: "new.key" }], folder };
    expect(await certificates.preview(names, () => lab)).toEqual([
      "dev/web: web.lan is served without TLS: the file new.pem, which the lab names, is not there",
    ]);
    expect(trouble()).toBeUndefined();
  });
});
