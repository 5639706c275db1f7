import type { IncomingMessage } from "node:http";

/** An answer that says what is wrong: thrown where it is found, written in one place. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const mostBytes = 64 * 1024;

/** The body as JSON, an object. */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  // A form of another site cannot say so without asking first.
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) throw new Refusal(415, "Send JSON.");
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > mostBytes) throw new Refusal(413, "That is too long.");
    parts.push(part);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Refusal(400, "That is not a JSON object.");
}

/** A text of the body, without blanks around it unless it is `exact`. */
export function textOf(
  body: Readonly<Record<string, unknown>>,
  name: string,
  { least = 1, most, exact = false }: { least?: number; most: number; exact?: boolean },
): string {
  const value = body[name];
  const text = typeof value === "string" ? (exact ? value : value.trim()) : "";
  if (text.length >= least && text.length <= most && !text.includes("\0")) return text;
  throw new Refusal(400, `The ${name} has ${least} to ${most} characters.`);
}

/**
 * Refuses what another site's page had the browser send. Browsers say where a request comes from (Sec-Fetch-Site); old ones say
 * it by Origin, which has to be the host that was asked. Other programs say neither, and have no cookies to abuse.
 */
export function requireSameSite(request: IncomingMessage): void {
  const site = request.headers["sec-fetch-site"];
  if (site === "same-origin") return;
  const { origin, host } = request.headers;
  if (site === undefined && (origin === undefined || origin.replace(/^https?:\/\//, "") === host)) return;
  throw new Refusal(403, "Another site asked for this.");
}

const cookieName = "slice_session";

export function tokenOf(request: IncomingMessage): string | undefined {
  const cookies = (request.headers.cookie ?? "").split(/; */).map((cookie) => cookie.split("="));
  return cookies.find(([name]) => name === cookieName)?.[1];
}

/** For no longer than `seconds`; 0 takes it away. */
export function sessionCookie(request: IncomingMessage, token: string, seconds: number): string {
  const secure = request.headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`;
}
