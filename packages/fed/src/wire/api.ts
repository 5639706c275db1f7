import { z } from "zod";
import { agentApi } from "./agent.ts";
import { endpoint } from "./endpoint.ts";
import { anyEventShape, notedShape, streamItemShape, verdictShape } from "./event.ts";
import { fleetApi } from "./fleet.ts";
import { loopShape } from "./loop.ts";
import { machineDetailShape, machineShape } from "./machine.ts";
import { metricApi } from "./metric-api.ts";
import { planShape } from "./plan.ts";
import { progressShape } from "./progress.ts";
import { releaseApi } from "./release.ts";
import { roleShape } from "./role.ts";
import { secretApi } from "./secret.ts";
import { serviceApi } from "./service.ts";
import { statusShape } from "./status.ts";
import {
  credentialsShape,
  grantShape,
  linkShape,
  meShape,
  passwordShape,
  tokenShape,
  userNameShape,
  userShape,
} from "./user.ts";

const nothing = z.object({});
const done = z.object({ done: z.literal(true) });
/** A code from a link. */
const code = z.string().min(1).max(200);

/** What the list and the stream of events have in common. */
const eventFilter = {
  /** Only these types: `machine.changed`, or all of a noun: `machine.`; several with commas. */
  type: z.string().max(1000).optional(),
  /** Only this subject: `service:dev/api`, or all of a kind: `service:`. */
  subject: z.string().max(500).optional(),
};

/** Every endpoint of the hub, as data. */
export const api = {
  // ---- the hub itself
  health: endpoint({
    method: "GET",
    path: "/health",
    role: "open",
    answer: "one",
    summary: "Is the hub there, and which?",
    input: nothing,
    output: z.object({ status: z.literal("ok"), version: z.string(), pid: z.number().int() }),
  }),
  ready: endpoint({
    method: "GET",
    path: "/ready",
    role: "open",
    answer: "one",
    summary: "Can the hub take wishes? 503 while it starts, stops, or cannot write.",
    input: nothing,
    output: z.object({ status: z.literal("ready") }),
  }),
  metrics: endpoint({
    method: "GET",
    path: "/metrics",
    role: "viewer",
    answer: "text",
    summary: "The hub about itself, in the text format of Prometheus.",
    input: nothing,
    output: z.string(),
  }),
  openapi: endpoint({
    method: "GET",
    path: "/api/v1/openapi.json",
    role: "open",
    answer: "one",
    summary: "This document.",
    input: nothing,
    output: z.record(z.string(), z.unknown()),
  }),
  loops: endpoint({
    method: "GET",
    path: "/api/v1/loops",
    role: "viewer",
    answer: "one",
    summary: "What the hub does again and again, and how it went last.",
    input: nothing,
    output: z.object({ loops: z.array(loopShape) }),
  }),
  down: endpoint({
    method: "POST",
    path: "/api/v1/down",
    role: "admin",
    answer: "many",
    summary: "Stops every service, then the hub.",
    input: nothing,
    output: progressShape,
  }),

  // ---- signing in
  login: endpoint({
    method: "POST",
    path: "/api/v1/auth/login",
    role: "open",
    answer: "one",
    summary: "Name and password for an access token and a refresh token (programs).",
    input: credentialsShape,
    output: grantShape,
  }),
  refresh: endpoint({
    method: "POST",
    path: "/api/v1/auth/refresh",
    role: "open",
    answer: "one",
    summary: "A refresh token for the next pair. Each works once; showing an old one ends the session.",
    input: z.object({ refreshToken: z.string().min(1).max(500) }),
    output: grantShape,
  }),
  openSession: endpoint({
    method: "POST",
    path: "/api/v1/auth/session",
    role: "open",
    answer: "one",
    summary: "Name and password for a cookie (pages).",
    input: credentialsShape,
    output: meShape,
  }),
  me: endpoint({
    method: "GET",
    path: "/api/v1/auth/me",
    role: "viewer",
    answer: "one",
    summary: "Who is calling.",
    input: nothing,
    output: meShape,
  }),
  logout: endpoint({
    method: "POST",
    path: "/api/v1/auth/logout",
    role: "viewer",
    answer: "one",
    summary: "Ends the caller's session.",
    input: nothing,
    output: done,
  }),
  changePassword: endpoint({
    method: "POST",
    path: "/api/v1/auth/password",
    role: "viewer",
    answer: "one",
    summary: "Changes the caller's password and ends all other sessions of that user.",
    input: z.object({ current: z.string().min(1).max(1024), next: passwordShape }),
    output: z.object({ sessionsEnded: z.number().int() }),
  }),
  lookAtLink: endpoint({
    method: "POST",
    path: "/api/v1/auth/link",
    role: "open",
    answer: "one",
    summary: "What a link is for, before it is used.",
    input: z.object({ code }),
    output: z.object({
      purpose: z.enum(["first", "invite", "reset", "rescue"]),
      /** Whose password is chosen; left out when a name is to be chosen too. */
      name: z.string().optional(),
      expiresMs: z.number(),
    }),
  }),
  enrol: endpoint({
    method: "POST",
    path: "/api/v1/auth/enrol",
    role: "open",
    answer: "one",
    summary: "Uses up a link: chooses a password (and a name where the link has none) and signs the browser in.",
    input: z.object({ code, name: userNameShape.optional(), password: passwordShape }),
    output: meShape,
  }),

  // ---- users and tokens
  users: endpoint({
    method: "GET",
    path: "/api/v1/users",
    role: "admin",
    answer: "one",
    summary: "Everybody who may sign in, or could.",
    input: nothing,
    output: z.object({ users: z.array(userShape) }),
  }),
  addUser: endpoint({
    method: "POST",
    path: "/api/v1/users",
    role: "admin",
    answer: "one",
    summary: "Adds a user; without a password the answer has a link with which they choose one.",
    input: z.object({ name: userNameShape, role: roleShape, password: passwordShape.optional() }),
    output: z.object({ user: userShape, link: linkShape.optional() }),
  }),
  disableUser: endpoint({
    method: "POST",
    path: "/api/v1/users/:name/disable",
    role: "admin",
    answer: "one",
    summary: "Ends all sessions of a user and lets them sign in no more. Their tokens stop working.",
    input: z.object({ name: z.string() }),
    output: z.object({ user: userShape }),
  }),
  enableUser: endpoint({
    method: "POST",
    path: "/api/v1/users/:name/enable",
    role: "admin",
    answer: "one",
    summary: "Lets a disabled user sign in again.",
    input: z.object({ name: z.string() }),
    output: z.object({ user: userShape }),
  }),
  setRole: endpoint({
    method: "POST",
    path: "/api/v1/users/:name/role",
    role: "admin",
    answer: "one",
    summary: "Gives a user another role; it counts from the next request.",
    input: z.object({ name: z.string(), role: roleShape }),
    output: z.object({ user: userShape }),
  }),
  resetUser: endpoint({
    method: "POST",
    path: "/api/v1/users/:name/reset",
    role: "admin",
    answer: "one",
    summary: "Ends all sessions of a user, forgets the password and makes a link to choose a new one.",
    input: z.object({ name: z.string() }),
    output: z.object({ user: userShape, link: linkShape }),
  }),
  rescue: endpoint({
    method: "POST",
    path: "/api/v1/rescue",
    role: "local",
    answer: "one",
    summary: "Break glass: a link that makes its holder an admin. Only for who can read the hub's data folder.",
    input: z.object({ name: userNameShape.optional() }),
    output: z.object({ link: linkShape }),
  }),
  tokens: endpoint({
    method: "GET",
    path: "/api/v1/tokens",
    role: "viewer",
    answer: "one",
    summary: "The caller's API tokens; all of them for an admin.",
    input: nothing,
    output: z.object({ tokens: z.array(tokenShape) }),
  }),
  createToken: endpoint({
    method: "POST",
    path: "/api/v1/tokens",
    role: "viewer",
    answer: "one",
    summary: "Makes an API token, shown this once. Its role is at most the caller's.",
    input: z.object({
      name: z.string().trim().min(1).max(64),
      role: roleShape.default("viewer"),
      /** Never when left out. */
      expiresInDays: z.number().int().min(1).max(3650).optional(),
    }),
    output: z.object({ token: tokenShape, secret: z.string() }),
  }),
  revokeToken: endpoint({
    method: "POST",
    path: "/api/v1/tokens/:id/revoke",
    role: "viewer",
    answer: "one",
    summary: "Ends an API token of the caller; any of them for an admin.",
    input: z.object({ id: z.string() }),
    output: z.object({ token: tokenShape }),
  }),

  // ---- events
  events: endpoint({
    method: "GET",
    path: "/api/v1/events",
    role: "viewer",
    answer: "one",
    summary: "What happened, newest first.",
    input: z.object({
      ...eventFilter,
      /** Only events before this sequence: the next page. */
      before: z.coerce.number().int().min(1).optional(),
      /** Only events at or after this time; milliseconds since the epoch. */
      sinceMs: z.coerce.number().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    output: z.object({
      events: z.array(anyEventShape),
      /** There are older ones: ask with `before` set to this. */
      more: z.number().int().optional(),
    }),
  }),
  eventStream: endpoint({
    method: "GET",
    path: "/api/v1/events/stream",
    role: "viewer",
    answer: "events",
    summary:
      "What happens, as it happens. Resumes after Last-Event-ID (or `after`); a reader too slow is cut off and resumes.",
    input: z.object({ ...eventFilter, after: z.coerce.number().int().min(0).optional() }),
    output: streamItemShape,
  }),
  verifyEvents: endpoint({
    method: "GET",
    path: "/api/v1/events/verify",
    role: "viewer",
    answer: "one",
    summary: "Proves that no event between the oldest kept and the newest was changed, removed or put in.",
    input: z.object({
      /** The head of an earlier verdict, as `SEQUENCE:HASH`: proves that it is still in the chain. */
      head: notedShape.optional(),
    }),
    output: verdictShape,
  }),

  // ---- machines
  machines: endpoint({
    method: "GET",
    path: "/api/v1/machines",
    role: "viewer",
    answer: "one",
    summary: "The machines of the lab and how they are.",
    input: nothing,
    output: z.object({ machines: z.array(machineShape) }),
  }),
  machine: endpoint({
    method: "GET",
    path: "/api/v1/machines/:name",
    role: "viewer",
    answer: "one",
    summary: "One machine, with its units, containers, processes, updates and storage as they were told last.",
    input: z.object({ name: z.string() }),
    output: machineDetailShape,
  }),
  lookAtMachine: endpoint({
    method: "POST",
    path: "/api/v1/machines/:name/look",
    role: "operator",
    answer: "one",
    summary: "Looks at a machine now instead of when its turn comes.",
    input: z.object({ name: z.string() }),
    output: machineShape,
  }),

  ...fleetApi,
  ...agentApi,
  ...secretApi,

  // ---- the lab and its services
  status: endpoint({
    method: "GET",
    path: "/api/v1/status",
    role: "viewer",
    answer: "one",
    summary: "The lab, its services and their instances, as they are now.",
    input: nothing,
    output: statusShape,
  }),
  plan: endpoint({
    method: "GET",
    path: "/api/v1/plan",
    role: "viewer",
    answer: "one",
    summary: "What would change to make the lab file as it is on disk real. Writes nothing.",
    input: nothing,
    output: planShape,
  }),
  apply: endpoint({
    method: "POST",
    path: "/api/v1/apply",
    role: "operator",
    answer: "many",
    summary: "Takes the lab file as it is on disk as the wish and makes it real; tries again what was given up.",
    input: z.object({
      /** A plan made before: refused when the lab or the world has moved since. */
      plan: planShape.pick({ desired: true, observed: true }).optional(),
    }),
    output: progressShape,
  }),
  ...serviceApi,
  logs: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/logs",
    role: "viewer",
    answer: "many",
    summary: "Output of a service's instances, oldest first.",
    input: z.object({
      environment: z.string(),
      service: z.string(),
      /** How many of the last lines of each instance to begin with. */
      tail: z.coerce.number().int().min(0).max(1_000_000).default(200),
      /** Go on with what comes. */
      follow: z.stringbool().default(false),
      /**
       * Go on where a reader was, in place of `tail`: `instance@at` of the last line seen of each instance, with commas
       * between; without `at` behind all it has written by now. Of an instance that is not named: all of it.
       */
      after: z.string().max(8_000).optional(),
      /** Only this instance, by its id or the end of it; also one that is gone. */
      instance: z.string().min(3).max(64).optional(),
      /** Those that are gone as well, as far as their output is kept. */
      gone: z.stringbool().default(false),
    }),
    output: z.object({
      instance: z.string(),
      text: z.string(),
      /** Where the line ends in that instance's output, for `after`. */
      at: z.string(),
    }),
  }),

  keptLogs: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/kept-logs",
    role: "viewer",
    answer: "one",
    summary: "The instances of a service that are gone and whose output is kept, oldest first.",
    input: z.object({ environment: z.string(), service: z.string() }),
    output: z.object({
      logs: z.array(
        z.object({
          instance: z.string(),
          /** Id of the release it was of. */
          release: z.string().optional(),
          startedMs: z.number(),
          endedMs: z.number(),
          /** How it ended, in words. */
          exit: z.string(),
          sizeBytes: z.number().int(),
        }),
      ),
    }),
  }),

  ...releaseApi,

  ...metricApi,
} as const;

export type Api = typeof api;
