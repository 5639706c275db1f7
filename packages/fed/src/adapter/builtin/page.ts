import { unreachable } from "#base/unreachable.ts";
import type { Answer, Incoming } from "./message.ts";

/** What the ingress itself has to say instead of a service. */
export type PageReason =
  /** No route has this name; the known ones are told to this machine only. */
  | { readonly kind: "unknownHost"; readonly host: string; readonly known: readonly string[] }
  /** The door was closed while its connection was still open. */
  | { readonly kind: "closedDoor" }
  | { readonly kind: "noTargets"; readonly service: string }
  | { readonly kind: "badRequest"; readonly reason: string }
  | { readonly kind: "noAnswer"; readonly service: string; readonly reason: string }
  | { readonly kind: "tooSlow"; readonly service: string; readonly reason: string };

export interface Page {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

interface Words {
  readonly status: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly headers?: readonly string[];
}

/** The page as HTML for whoever accepts it, as plain text for everyone else. */
export function makePage(reason: PageReason, accept: string | undefined): Page {
  const { status, title, lines, headers = [] } = words(reason);
  const html = accept?.includes("text/html") ?? false;
  const body = html ? writeHtml(title, lines) : `${[title, ...lines].join("\n")}\n`;
  const type = html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  const size = String(Buffer.byteLength(body));
  return {
    status,
    headers: ["Content-Type", type, "Content-Length", size, "Cache-Control", "no-store", ...headers],
    body,
  };
}

function words(reason: PageReason): Words {
  switch (reason.kind) {
    case "unknownHost":
      return {
        status: 404,
        title: `No service answers for ${reason.host || "a request without a host name"}`,
        lines: known(reason.known),
      };
    case "closedDoor":
      return {
        status: 404,
        title: "This door is closed",
        lines: ["The lab no longer has a service behind this port."],
      };
    case "noTargets":
      return {
        status: 503,
        title: `${shortName(reason.service)} has no healthy instance`,
        lines: [`See \`fed logs ${shortName(reason.service)}\`.`],
        headers: ["Retry-After", "2"],
      };
    case "badRequest":
      return { status: 400, title: "The request is not understood", lines: [reason.reason] };
    case "noAnswer":
      return { status: 502, title: `${shortName(reason.service)} did not answer`, lines: upstreamLines(reason) };
    case "tooSlow":
      return {
        status: 504,
        title: `${shortName(reason.service)} took too long to answer`,
        lines: upstreamLines(reason),
      };
    default:
      return unreachable(reason);
  }
}

function upstreamLines(reason: { readonly service: string; readonly reason: string }): readonly string[] {
  return [`${reason.reason}.`, `See \`fed logs ${shortName(reason.service)}\`.`];
}

function known(hosts: readonly string[]): readonly string[] {
  const shown = hosts.slice(0, 50);
  if (shown.length === 0) return ["`fed status` shows the names that are served."];
  return ["These names are served here:", ...shown.map((host) => `  ${host}`)];
}

/** `environment/service` without the environment: what `fed logs` takes. */
function shortName(service: string): string {
  return service.slice(service.lastIndexOf("/") + 1);
}

function writeHtml(title: string, lines: readonly string[]): string {
  const body = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<body style="font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark">
<h1 style="font-size:1.4rem">${escapeHtml(title)}</h1>
${body}
</body></html>
`;
}

function escapeHtml(text: string): string {
  const entity: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (letter) => entity[letter] ?? letter);
}

export function sendPage(request: Incoming, response: Answer, reason: PageReason): void {
  const page = makePage(reason, request.headers.accept);
  response.writeHead(page.status, "", [...page.headers]);
  response.end(page.body);
}
