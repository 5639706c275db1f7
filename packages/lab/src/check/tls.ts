/** TLS: each host name that is served with it gets a certificate from somewhere, and each ingress is where it can be. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { environmentsOf, identityOf, ingressOf, machineOf, tlsOf } from "../resolve.ts";
import { eachPlacement, oncePer, pathOf } from "./each.ts";

/** fed's own ingress runs in the hub, and there is one of it. */
export function checkIngresses(lab: LabDocument): readonly Finding[] {
  return Object.entries(lab.machines).flatMap(([name, machine]): readonly Finding[] => {
    if (machine.ingress?.kind !== "builtin" || identityOf(machine, name) === "local") return [];
    return [
      {
        code: "bad-value",
        path: ["machines", name, "ingress"],
        message: `fed's own ingress runs on the hub's machine, not on ${name}.`,
        hint: 'Say it at the machine with address "local", or write caddy({ … }) for a Caddy that runs here.',
      },
    ];
  });
}

export function checkTls(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const isNew = oncePer(({ path, message }: Finding) => JSON.stringify([path, message]));
  for (const { name, environment } of eachPlacement(lab)) {
    const finding = checkRoute(lab, name, environment);
    if (finding !== undefined && isNew(finding)) findings.push(finding);
  }
  for (const [name, { tls }] of Object.entries(lab.services)) {
    if (tls === undefined || environmentsOf(lab, name).some((one) => hostOf(lab, name, one) !== undefined)) continue;
    findings.push({
      code: "missing-key",
      path: ["services", name, "tls"],
      message: `${name} has \`tls\`, and no host name that a certificate could be for.`,
      hint: "Give it a `route`, or take `tls` away.",
    });
  }
  return findings;
}

const hostOf = (lab: LabDocument, service: string, environment: string) =>
  valueIn(lab.services[service]?.route, environment);

function checkRoute(lab: LabDocument, name: string, environment: string): Finding | undefined {
  const word = tlsOf(lab, name, environment);
  const host = hostOf(lab, name, environment);
  const on = machineOf(lab, name, environment) ?? "";
  if (word === undefined || host === undefined) return undefined;
  const { machine, ingress } = ingressOf(lab, on);
  const said = valueIn(lab.services[name]?.tls, environment) !== undefined;
  const path = said
    ? pathOf(lab.services[name]?.tls, ["services", name, "tls"], environment)
    : ["machines", machine ?? on, "ingress", "tls"];
  if (ingress.kind === "builtin" && word !== "given") {
    return {
      ...{ code: "bad-value", path },
      message: `${host} is served by fed's own ingress, which makes no certificates: it has those it is given.`,
      hint: `Say "given", with certificates in builtin({ certificates: [...] }) at the hub's machine, or ingress: caddy({ tls: "${word}" }) at ${on}.`,
    };
  }
  if (word === "given" && ingress.certificates === undefined) {
    return {
      ...{ code: "missing-key", path },
      message: `${host} is to have a certificate that is given, and its ingress has none.`,
      hint: `Name the files: ${ingress.kind}({ certificates: [{ certificate: "./fullchain.pem", key: "./privkey.pem" }] }).`,
    };
  }
  if (word === "acme" && isPrivate(host) && (ingress.kind !== "caddy" || ingress.directory === undefined)) {
    return {
      ...{ code: "bad-value", path },
      message: `${host} is no name of the internet: no public authority gives a certificate for it.`,
      hint: `Say tls: "internal" for ${name} in ${environment}, or give it a public host name.`,
    };
  }
  return undefined;
}

const privateEnds = ["localhost", "local", "lan", "home", "internal", "test", "invalid", "example", "home.arpa"];

function isPrivate(host: string): boolean {
  return !host.includes(".") || privateEnds.some((end) => host.endsWith(`.${end}`));
}
