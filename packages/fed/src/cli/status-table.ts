import type { HubStatus, ServiceStatus } from "#wire/status.ts";
import type { Span, Style, Table } from "./print.ts";

const styles: Record<ServiceStatus["state"], Style> = {
  healthy: "good",
  starting: "accent",
  replacing: "accent",
  waiting: "dim",
  unhealthy: "bad",
  "backing off": "warn",
  "gave up": "bad",
  unsupported: "warn",
  unknown: "warn",
  stopping: "dim",
  stopped: "dim",
};

/** Stands where there is nothing to say. */
const none = "–";

/** The services of a hub, a line each. */
export function statusTable(status: HubStatus, nowMs: number): Table {
  return {
    columns: [
      { title: "SERVICE" },
      { title: "STATE" },
      { title: "RELEASE", said: (text) => (text === none ? "" : `release ${text}`) },
      { title: "HEALTHY", align: "right", said: (text) => `${text} healthy` },
      { title: "CRASHES", align: "right", said: (text) => (text === "0" ? "" : `crashes ${text}`) },
      { title: "UP", align: "right", quiet: true },
      { title: "WHERE" },
      { title: "" },
    ],
    rows: status.services.map((service) => row(service, nowMs)),
  };
}

function row(service: ServiceStatus, nowMs: number): readonly Span[] {
  const started = service.instances.filter(({ state }) => state === "running").map(({ startedMs }) => startedMs);
  const { wanted, healthy } = service.replicas;
  return [
    { text: `${service.environment}/${service.service}`, style: "strong" },
    { text: service.state, style: styles[service.state] },
    releaseText(service),
    `${healthy}/${wanted}`,
    { text: String(service.crashes), style: service.crashes > 0 ? "warn" : "dim" },
    { text: started.length === 0 ? none : age(nowMs - Math.min(...started)), style: "dim" },
    { text: service.url ?? "", style: "accent" },
    { text: detailOf(service), style: "dim" },
  ];
}

/** `4 (c0ffee12)`; what a process is made of has no name. */
function releaseText({ release, version }: ServiceStatus): string {
  if (release === undefined) return none;
  return version === undefined ? String(release) : `${release} (${version})`;
}

function detailOf({ detail, rollout, differs, certificate }: ServiceStatus): string {
  if (detail !== "") return detail;
  if (rollout?.state === "preparing") return "the next release is being prepared";
  return certificate ?? differs ?? "";
}

/** "12 s", "4 min", "3 h", "9 d". */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
