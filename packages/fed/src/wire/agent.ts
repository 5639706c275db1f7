import { z } from "zod";
import { endpoint } from "./endpoint.ts";

const nothing = z.object({});
/** Of a hash in hex; "" for none. */
const version = z
  .string()
  .regex(/^[0-9a-f]{0,64}$/)
  .default("");

/**
 * What the hub says to a machine that reports, a line each:
 * `hello NAME`, `rate SECONDS WHEN_NOBODY_WATCHES`, `ack SEQUENCE` (it and all before it are kept), `skip SEQUENCE` (what follows it
 * cannot be read: drop it), `update VERSION`, `anew` (tell everything again, as after a start), `uninstall`, `fault WHY`.
 */
export type AgentLine =
  | `hello ${string}`
  | `rate ${number} ${number}`
  | `ack ${number}`
  | `skip ${number}`
  | `update ${string}`
  | "anew"
  | "uninstall";

/** Endpoints for machines that report by themselves, because the hub cannot reach them. */
export const agentApi = {
  joinScript: endpoint({
    method: "GET",
    path: "/join/:token",
    role: "open",
    answer: "text",
    summary: "A script for `sh` with which a machine joins. Fetching it does not use the token up.",
    input: z.object({ token: z.string().max(200) }),
    output: z.string(),
  }),
  claimJoin: endpoint({
    method: "POST",
    path: "/join/:token",
    role: "open",
    answer: "text",
    summary: "Uses a token up: the answer is the credential of the machine it was made for.",
    input: z.object({ token: z.string().max(200) }),
    output: z.string(),
  }),
  agentScript: endpoint({
    method: "GET",
    path: "/agent/script",
    role: "machine",
    answer: "text",
    summary: "What runs on the machine that asks.",
    input: nothing,
    output: z.string(),
  }),
  report: endpoint({
    method: "POST",
    path: "/agent/report",
    role: "machine",
    answer: "lines",
    body: "stream",
    summary: "Takes the ticks of the machine that calls, for as long as it likes, and tells it meanwhile what is kept.",
    input: z.object({
      /** By its own clock; seconds since the epoch. */
      now: z.coerce.number().int().min(0).max(1e12),
      /** The newest tick it has made: later ones are sent when they are made. */
      last: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      /** Ticks it had to give up since it told last. */
      dropped: z.coerce.number().int().min(0).max(1e9).default(0),
      version,
      /** A version that did not come up there. */
      refused: version,
    }),
    output: z.string(),
  }),
  leaveFleet: endpoint({
    method: "POST",
    path: "/agent/gone",
    role: "machine",
    answer: "one",
    summary: "Says that nothing of ours runs on the machine that calls any more; its credential ends.",
    input: nothing,
    output: z.object({ done: z.literal(true) }),
  }),
};
