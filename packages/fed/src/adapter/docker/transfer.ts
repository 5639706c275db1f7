/** What pulling and pushing have in common: names of images, who we are to a registry, and what is said meanwhile. */
import type { BuildRequest, ImageProgress, RegistryLogin } from "#port/image.ts";
import { isRecord, type JsonLine } from "./json-lines.ts";

export interface ReferenceParts {
  /** `registry/path`, as a person writes it. */
  readonly name: string;
  /** A tag, or `sha256:…`. */
  readonly tag: string;
}

/** `latest` where nothing is said: an engine asked for no tag would fetch all of them. */
export function readReference(reference: string): ReferenceParts {
  const [named = "", digest] = reference.split("@", 2);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const name = tagged ? named.slice(0, colon) : named;
  return { name, tag: digest ?? (tagged ? named.slice(colon + 1) : "latest") };
}

/** The header of a pull or a push; an engine wants one also when there is nothing to say. */
export function loginHeader(reference: string, login: RegistryLogin | undefined): Record<string, string> {
  const said = login ? { username: login.user, password: login.password, serveraddress: registryOf(reference) } : {};
  return { "x-registry-auth": headerText(said) };
}

/** The header of a build: who we are to each registry. */
export function loginsHeader(logins: BuildRequest["logins"] = {}): Record<string, string> {
  const said = Object.entries(logins).map(([registry, { user, password }]) => {
    const serveraddress = registry === "docker.io" ? dockerHub : registry;
    return [serveraddress, { username: user, password, serveraddress }];
  });
  return said.length === 0 ? {} : { "x-registry-config": headerText(Object.fromEntries(said)) };
}

/** Base64 for URLs, but with its padding: Docker takes no other, and says nothing. */
function headerText(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** As engines have always called it. */
const dockerHub = "https://index.docker.io/v1/";

/** What stands before the first `/` is a registry when it has a dot or a port, or is localhost; else it is Docker's own. */
function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : dockerHub;
}

/** Says what a transfer does: a line when something changes, not one for each megabyte. */
export function transferNews(onProgress: ImageProgress): (line: JsonLine) => void {
  const last = new Map<string, string>();
  return ({ id, status, stream, progressDetail }) => {
    if (typeof stream === "string") onProgress(cutLine(stream.trimEnd()));
    if (typeof status !== "string" || status === "") return;
    const layer = typeof id === "string" ? id : "";
    if (last.get(layer) === status) return;
    last.set(layer, status);
    const total = isRecord(progressDetail) && typeof progressDetail.total === "number" ? progressDetail.total : 0;
    const size = total > 0 ? ` ${megabytes(total)}` : "";
    onProgress(cutLine(`${layer === "" ? "" : `${layer}: `}${status.trimEnd()}${size}`));
  };
}

export function megabytes(sizeBytes: number): string {
  return sizeBytes < 100_000 ? `${(sizeBytes / 1_000).toFixed(1)} kB` : `${(sizeBytes / 1_000_000).toFixed(1)} MB`;
}

export const cutLine = (line: string): string => (line.length > 2_000 ? `${line.slice(0, 2_000)}…` : line);
