import { bringImage, buildImage, type ImageNeeds, type ImageWords, pullImage, pushImage } from "./image.ts";
import type { Artifact, Rollout } from "./release.ts";

export type PrepareNeeds = ImageNeeds;

/** Makes sure that what a rollout is made of is on its machine. Touches nothing that runs. */
export async function prepareArtifact(
  needs: PrepareNeeds,
  { request, service }: Pick<Rollout, "request" | "service">,
  words: ImageWords,
  signal: AbortSignal,
): Promise<Artifact> {
  const { artifact, resolved } = request;
  const { workload, machine, push } = resolved;
  if (artifact?.kind === "image") {
    const brought = await bringImage(needs, artifact, machine, words, signal, push);
    // A release that is there already stays what it was.
    return request.release === undefined ? pushImage(needs, brought, { machine, push }, words, signal) : brought;
  }
  switch (workload.kind) {
    case "process":
      return { kind: "process" };
    case "image":
      return pullImage(needs, workload.reference, machine, words, signal);
    case "build":
      return buildImage(needs, workload, { machine, lab: resolved.lab, service, push }, words, signal);
  }
}
