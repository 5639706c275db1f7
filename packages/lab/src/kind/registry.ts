/** A registry: where images are pulled from and pushed to, and who the hub is there. */

import type { RegistryDocument } from "../document.ts";
import { type Read, report } from "../read/cursor.ts";
import { map, object, optional } from "../read/shape.ts";
import { readPasswordAuth } from "./peer.ts";
import type { SecretName } from "./secret.ts";

/**
 * What a registry is. Its name is its host, with the port where it has one; Docker Hub is `"docker.io"`.
 *
 * @example
 * registries: {
 *   "ghcr.io": { auth: { user: "ada", password: { secret: "GHCR_TOKEN" } } },
 *   "registry.lan:5000": {},
 * }
 */
export interface RegistryProps<X extends string = string> {
  /**
   * Who the hub is there, on every machine: for pulls, for the images that builds begin with, and for pushes. Where a registry hands
   * out tokens the token is the password. Nobody when left out.
   */
  readonly auth?: { readonly user: string; readonly password: { readonly secret: SecretName<X> } };
}

const ofDockerHub = ["index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com"];

function nameHint(name: string): string | undefined {
  if (name.includes("/")) return "Write the host alone, and the port where it has one.";
  if (name !== name.toLowerCase()) return `Write it in lower case: "${name.toLowerCase()}".`;
  if (/^[a-z0-9-]+$/.test(name)) {
    return "A host without a dot needs its port: else engines take it for a part of an image's name.";
  }
  return undefined;
}

const host = /^(?:localhost|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)(?::\d{1,5})?$/;
const hostWithPort = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?:\d{1,5}$/;

/** As engines tell it from the rest of a reference: it has a dot or a port, or is localhost. */
const readName: Read<string> = (value, at) => {
  const name = String(value);
  if (ofDockerHub.includes(name)) return report(at, "bad-name", `${name} is Docker Hub.`, 'Call it "docker.io".');
  if (name.length <= 253 && (host.test(name) || hostWithPort.test(name))) return name;
  return report(at, "bad-name", `${JSON.stringify(name.slice(0, 80))} is not the host of a registry.`, nameHint(name));
};

const readRegistry = object<RegistryDocument>("a registry", { auth: optional(readPasswordAuth) });

export const readRegistries: Read<Readonly<Record<string, RegistryDocument>>> = map(
  'registries by host, such as { "ghcr.io": { auth: … } }',
  readName,
  readRegistry,
);
