import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { Values } from "#hub/secret/verbs.ts";
import type { ResolvedService } from "./service.ts";
import type { Prepared } from "./world.ts";

export interface PrepareNeeds {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly secrets: Pick<Values, "reveal">;
}

/** A new id, and the variables with their secrets and folders. */
export async function prepareInstance(service: ResolvedService, needs: PrepareNeeds): Promise<Prepared> {
  const { dataFolder, clock, secrets } = needs;
  const environment: Record<string, string> = {};
  const files: Record<string, { readonly name: string; readonly content: string }> = {};
  for (const [variable, source] of Object.entries(service.variables)) {
    if (source.kind === "text") {
      environment[variable] = source.text;
      continue;
    }
    const value = await secrets.reveal(source.name, service.environment, source.version ?? 0);
    if (source.kind === "secret") environment[variable] = value;
    else files[variable] = { name: source.name, content: value };
  }
  for (const volume of service.volumes) {
    const folder = volume.host ?? join(dataFolder, "volumes", service.environment, service.service, volume.name);
    if (volume.host === undefined) await ensureFolder(folder);
    environment[volume.variable] = folder;
  }
  const id = makeId("ins", { nowMs: () => clock.nowMs(), random: cryptoRandom });
  return { id, environment, ...(Object.keys(files).length === 0 ? {} : { files }) };
}
