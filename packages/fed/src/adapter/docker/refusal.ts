import { Fault, type FaultCode } from "#base/fault.ts";

const codes: Readonly<Record<number, FaultCode>> = {
  400: "invalid",
  401: "denied",
  403: "denied",
  404: "missing",
  405: "unsupported",
  409: "conflict",
  429: "limited",
  501: "unsupported",
};

/**
 * What an engine means by a refusal that its status alone does not tell: much of what is no defect of the engine is a 500 to
 * it, or a 400. Words of Docker and of Podman, the runtimes below them (runc, crun) and the registries'.
 */
const meanings: readonly (readonly [pattern: RegExp, code: FaultCode, hint?: string])[] = [
  [/no space left on device/i, "unreachable", "Free space on the machine's disk."],
  [
    /toomanyrequests|too many requests|rate limit/i,
    "limited",
    "Try again later, or say in the lab who fed is there: a registry gives more to whom it knows.",
  ],
  [
    /server gave HTTP response to HTTPS client/i,
    "unreachable",
    'The registry speaks no TLS. Where that is right tell the engine: "insecure-registries" in /etc/docker/daemon.json, or `insecure = true` in /etc/containers/registries.conf.',
  ],
  [
    /x509: |certificate (is not trusted|signed by unknown authority|has expired)/i,
    "unreachable",
    "The engine does not trust the registry's certificate: put that of its authority in /etc/docker/certs.d/HOST:PORT/ca.crt on the machine, which Podman reads, too.",
  ],
  [
    /port is already allocated|address already in use|already (exists|in use|used)|container state improper/i,
    "conflict",
  ],
  [/executable file .*not found|no such file or directory|not a directory|bind source path does not exist/i, "missing"],
  [/unauthorized|authentication required|denied: |access (.* )?denied|no basic auth credentials/i, "denied"],
  [/permission denied|operation not permitted/i, "denied"],
  [/manifest (for .* )?(not found|unknown)|no such image|image not known|network not found|name unknown/i, "missing"],
  [/no such host|connection refused|i\/o timeout|TLS handshake|deadline exceeded|dial tcp/i, "unreachable"],
];

/** An engine's refusal as a Fault. `what` is what was asked, such as "docker: start of ins_1". */
export function refusal(what: string, status: number, message: string): Fault {
  const [, meaning, hint] =
    status === 404 || status === 409 ? [] : (meanings.find(([pattern]) => pattern.test(message)) ?? []);
  const code = meaning ?? codes[status] ?? "unreachable";
  const full = /no space left on device/i.test(message);
  return new Fault(code, `${what}: ${message === "" ? `status ${status}` : message}`, {
    details: { status, ...(full ? { disk: "full" } : {}) },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The status of a Fault made by `refusal`. */
export function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Fault) || typeof thrown.details !== "object" || thrown.details === null) return undefined;
  return "status" in thrown.details && typeof thrown.details.status === "number" ? thrown.details.status : undefined;
}
