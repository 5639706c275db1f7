import { z } from "zod";
import { endpoint } from "./endpoint.ts";

/**
 * How a try to make a release the serving one stands. `preparing`: what it is made of is built or fetched; nothing that runs was
 * touched. `rolling`: the new instances take the place of the old ones.
 */
export const rolloutStates = ["preparing", "rolling", "done", "failed", "cancelled"] as const;
export type RolloutState = (typeof rolloutStates)[number];

export const rolloutCauses = ["apply", "deploy", "rollback", "promote", "restart"] as const;
export type RolloutCause = (typeof rolloutCauses)[number];

/** What a release is made of. */
export const artifactShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("process") }),
  z.object({
    kind: z.literal("image"),
    /** `sha256:…` of its configuration: the same on every machine. */
    id: z.string(),
    /** As the lab names it; left out when it was built. */
    reference: z.string().optional(),
    /** `name@sha256:…`, by which a registry knows it. */
    digest: z.string().optional(),
    /** The folder that it was built from. */
    source: z.string().optional(),
    /** Of the source, when the folder is in a Git repository; ends with `-dirty` when something was not committed. */
    commit: z.string().optional(),
  }),
]);

/** One release: what can be made to run, for ever the same. */
export const releaseShape = z.object({
  id: z.string(),
  environment: z.string(),
  service: z.string(),
  /** 1, 2, 3, … of this service in this environment. */
  number: z.number().int(),
  /** Hash of all that makes its instances what they are. */
  spec: z.string(),
  artifact: artifactShape,
  machine: z.string(),
  /** Milliseconds since the epoch. */
  madeMs: z.number(),
  madeBy: z.string(),
  /** It is the one that is wanted now. */
  wanted: z.boolean(),
  /** It has served, and serves or could be gone back to. */
  good: z.boolean(),
});

/** What a release says, field by field, as text; secrets by name and version. */
export const releaseDetailShape = releaseShape.extend({ fields: z.record(z.string(), z.string()) });

/** One field in which two releases differ; a side is left out where it has no such field. */
export const fieldChangeShape = z.object({
  field: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
});

export const releaseDiffShape = z.object({
  from: releaseShape,
  to: releaseShape,
  /** By field. */
  changes: z.array(fieldChangeShape),
});

/** Something that is done for a rollout, in the order in which it began. */
export const rolloutStepShape = z.object({
  /** Of this rollout. */
  id: z.string(),
  /** In plain words: "pull nginx:1.29 on node5". */
  text: z.string(),
  state: z.enum(["running", "done", "failed", "skipped"]),
  startedMs: z.number(),
  tookMs: z.number().optional(),
  /** Why it failed or was skipped. */
  reason: z.string().optional(),
});

const releaseNameShape = z.object({ id: z.string(), number: z.number().int() });

export const rolloutShape = z.object({
  id: z.string(),
  environment: z.string(),
  service: z.string(),
  cause: z.enum(rolloutCauses),
  state: z.enum(rolloutStates),
  /** Left out while what it is made of is being prepared. */
  release: releaseNameShape.optional(),
  /** The one that served before, and is gone back to when this one fails. */
  before: releaseNameShape.optional(),
  /** The environment whose image it takes. */
  promotedFrom: z.string().optional(),
  /** Why it failed or was cancelled, or why there was nothing to do; "" when there is nothing to say. */
  reason: z.string(),
  /** The last lines of the instance that failed, or of the build. */
  output: z.string(),
  beganMs: z.number(),
  endedMs: z.number().optional(),
  by: z.string(),
  correlation: z.string(),
  /** Why it does not go on now: what it waits for. Left out while it does. */
  waits: z.string().optional(),
  /** As far as this hub has seen them: none of those before its start. */
  steps: z.array(rolloutStepShape),
});

/** What comes while a rollout is followed, each a line of the stream. */
export const rolloutItemShape = z.discriminatedUnion("kind", [
  /** How it stands: the first item, and again with each change. The last one is done, failed or cancelled. */
  z.object({ kind: z.literal("rollout"), rollout: rolloutShape }),
  /** A line of what a build or a pull says. */
  z.object({ kind: z.literal("line"), text: z.string() }),
]);

const place = { environment: z.string().max(200), service: z.string().max(200) };
const oneRollout = z.object({ rollout: rolloutShape });
const number = z.coerce.number().int().min(1);

/** Endpoints about releases. */
export const releaseApi = {
  deploy: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/deploy",
    role: "operator",
    answer: "one",
    summary:
      "Takes what the service is made of anew (builds, pulls; in an environment that promotes, takes what the other has) and rolls it out.",
    input: z.object(place),
    output: oneRollout,
  }),
  rollback: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/rollback",
    role: "operator",
    answer: "one",
    summary: "Rolls out an earlier release exactly as it was; the lab's next change to the service ends that.",
    input: z.object({
      ...place,
      /** Number of the release; the newest good one before the wanted one when left out. */
      to: number.optional(),
    }),
    output: oneRollout,
  }),
  promote: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/promote",
    role: "operator",
    answer: "one",
    summary: "Rolls out the image that serves in another environment, with this environment's values.",
    input: z.object({
      ...place,
      /** Where from; the environment's `promoteFrom` when left out. */
      from: z.string().max(200).optional(),
    }),
    output: oneRollout,
  }),
  cancelRollout: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/cancel",
    role: "operator",
    answer: "one",
    summary: "Ends the rollout under way; what served before goes on.",
    input: z.object(place),
    output: oneRollout,
  }),
  releases: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/releases",
    role: "viewer",
    answer: "one",
    summary: "The releases of a service that are kept and its last rollouts, newest first.",
    input: z.object(place),
    output: z.object({ releases: z.array(releaseShape), rollouts: z.array(rolloutShape) }),
  }),
  release: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/releases/:number",
    role: "viewer",
    answer: "one",
    summary: "One release, field by field.",
    input: z.object({ ...place, number }),
    output: releaseDetailShape,
  }),
  releaseDiff: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/releases/:number/diff",
    role: "viewer",
    answer: "one",
    summary: "What changed from one release to another.",
    input: z.object({
      ...place,
      /** The newer one, as a rule. */
      number,
      /** The one to compare it with. */
      from: number,
    }),
    output: releaseDiffShape,
  }),
  rollouts: endpoint({
    method: "GET",
    path: "/api/v1/rollouts",
    role: "viewer",
    answer: "one",
    summary: "Rollouts of all services, newest first.",
    input: z.object({
      /** Only those under way. */
      open: z.stringbool().default(false),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
    output: z.object({ rollouts: z.array(rolloutShape) }),
  }),
  rollout: endpoint({
    method: "GET",
    path: "/api/v1/rollouts/:id",
    role: "viewer",
    answer: "one",
    summary: "One rollout.",
    input: z.object({ id: z.string().max(200) }),
    output: rolloutShape,
  }),
  followRollout: endpoint({
    method: "GET",
    path: "/api/v1/rollouts/:id/follow",
    role: "viewer",
    answer: "many",
    summary: "A rollout with its steps and lines as they come, until it has ended.",
    input: z.object({ id: z.string().max(200) }),
    output: rolloutItemShape,
  }),
} as const;

export type WireArtifact = z.infer<typeof artifactShape>;
export type WireRelease = z.infer<typeof releaseShape>;
export type WireReleaseDetail = z.infer<typeof releaseDetailShape>;
export type WireFieldChange = z.infer<typeof fieldChangeShape>;
export type WireReleaseDiff = z.infer<typeof releaseDiffShape>;
export type WireRollout = z.infer<typeof rolloutShape>;
export type WireRolloutStep = z.infer<typeof rolloutStepShape>;
export type WireRolloutItem = z.infer<typeof rolloutItemShape>;
