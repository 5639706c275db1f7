import type { CommandEntry, Family } from "./command.ts";

/** Every command of fed. Each is loaded only when it is called, so that no verb pays for another. */
export const commands: readonly CommandEntry[] = [
  {
    name: "init",
    group: "Write",
    summary: "Write a new lab folder that an editor understands",
    load: async () => (await import("./command/init.ts")).command,
  },
  {
    name: "check",
    group: "Write",
    summary: "Say ok, or list everything wrong with a lab",
    load: async () => (await import("./command/check.ts")).command,
  },
  {
    name: "print",
    group: "Write",
    summary: "Show a lab as the machine reads it, and its hash",
    load: async () => (await import("./command/print.ts")).command,
  },
  {
    name: "up",
    group: "Run",
    summary: "Make a lab real and keep it so until Ctrl-C",
    load: async () => (await import("./command/up.ts")).command,
  },
  {
    name: "down",
    group: "Run",
    summary: "Stop the hub and everything it runs",
    load: async () => (await import("./command/down.ts")).command,
  },
  {
    name: "plan",
    group: "Run",
    summary: "Show what apply would do, and why; change nothing",
    load: async () => (await import("./command/plan.ts")).command,
  },
  {
    name: "apply",
    group: "Run",
    summary: "Carry out the plan",
    load: async () => (await import("./command/apply.ts")).command,
  },
  {
    name: "restart",
    group: "Run",
    summary: "Replace a service's instances by new ones",
    load: async () => (await import("./command/restart.ts")).command,
  },
  {
    name: "status",
    group: "See",
    summary: "Show what runs, where, and how it is",
    load: async () => (await import("./command/status.ts")).command,
  },
  {
    name: "machines",
    group: "See",
    summary: "Show the lab's machines and how they are",
    load: async () => (await import("./command/machines.ts")).command,
  },
  {
    name: "events",
    group: "See",
    summary: "Show what happened, and follow it",
    load: async () => (await import("./command/events.ts")).command,
  },
  {
    name: "events verify",
    group: "See",
    summary: "Prove that no event between base and head was changed",
    load: async () => (await import("./command/events-verify.ts")).command,
  },
  {
    name: "logs",
    group: "See",
    summary: "Show what a service writes",
    load: async () => (await import("./command/logs.ts")).command,
  },
  {
    name: "query",
    group: "See",
    summary: "Ask the metrics a question in PromQL",
    load: async () => (await import("./command/query.ts")).command,
  },
  {
    name: "promql test",
    group: "See",
    summary: "Run scripts of the kind that test Prometheus",
    load: async () => (await import("./command/promql-test.ts")).command,
  },
  {
    name: "promql format",
    group: "See",
    summary: "Write a query as fed writes it",
    load: async () => (await import("./command/promql-format.ts")).command,
  },
  {
    name: "promql explain",
    group: "See",
    summary: "Say in words what a query computes",
    load: async () => (await import("./command/promql-explain.ts")).command,
  },
  {
    name: "login",
    group: "Let in",
    summary: "Sign in at a hub elsewhere",
    load: async () => (await import("./command/login.ts")).command,
  },
  {
    name: "logout",
    group: "Let in",
    summary: "Sign out at a hub elsewhere",
    load: async () => (await import("./command/logout.ts")).command,
  },
  {
    name: "user add",
    group: "Let in",
    summary: "Let somebody in",
    load: async () => (await import("./command/user-add.ts")).command,
  },
  {
    name: "user list",
    group: "Let in",
    summary: "Show who may sign in",
    load: async () => (await import("./command/user-list.ts")).command,
  },
  {
    name: "user disable",
    group: "Let in",
    summary: "Keep somebody out, at once",
    load: async () => (await import("./command/user-disable.ts")).command,
  },
  {
    name: "user enable",
    group: "Let in",
    summary: "Let a disabled user in again",
    load: async () => (await import("./command/user-enable.ts")).command,
  },
  {
    name: "user role",
    group: "Let in",
    summary: "Give a user another role",
    load: async () => (await import("./command/user-role.ts")).command,
  },
  {
    name: "user reset",
    group: "Let in",
    summary: "Make a link to choose a new password",
    load: async () => (await import("./command/user-reset.ts")).command,
  },
  {
    name: "user rescue",
    group: "Let in",
    summary: "Break glass: become admin on the hub's own machine",
    load: async () => (await import("./command/user-rescue.ts")).command,
  },
  {
    name: "token create",
    group: "Let in",
    summary: "Make a token for a program",
    load: async () => (await import("./command/token-create.ts")).command,
  },
  {
    name: "token list",
    group: "Let in",
    summary: "Show tokens",
    load: async () => (await import("./command/token-list.ts")).command,
  },
  {
    name: "token revoke",
    group: "Let in",
    summary: "End a token",
    load: async () => (await import("./command/token-revoke.ts")).command,
  },
  {
    name: "doctor",
    group: "Keep",
    summary: "Say what this machine has and lacks, and for which feature",
    load: async () => (await import("./command/doctor.ts")).command,
  },
  {
    name: "tsdb stats",
    group: "Keep",
    summary: "Show what the store of metrics holds, and what it costs",
    load: async () => (await import("./command/tsdb-stats.ts")).command,
  },
  {
    name: "tsdb verify",
    group: "Keep",
    summary: "Read all of the store of metrics and name what is damaged",
    load: async () => (await import("./command/tsdb-verify.ts")).command,
  },
  {
    name: "test",
    group: "Keep",
    summary: "Test this copy of fed",
    load: async () => (await import("./command/test.ts")).command,
  },
  {
    name: "completion",
    group: "Keep",
    summary: "Teach your shell to complete fed commands",
    load: async () => (await import("./command/completion.ts")).command,
  },
  {
    name: "help",
    group: "Keep",
    summary: "Explain fed, or one command",
    load: async () => (await import("./command/help.ts")).command,
  },
  {
    name: "complete",
    group: "Hidden",
    summary: "Answer a shell that completes a line",
    load: async () => (await import("./command/complete.ts")).command,
  },
];

/** Commands of two words, by the first. */
export const families: readonly Family[] = [
  { name: "promql", group: "See", summary: "Test, format and explain queries" },
  { name: "tsdb", group: "Keep", summary: "Look into the store of metrics" },
  { name: "user", group: "Let in", summary: "Add, list, disable and reset who may sign in" },
  { name: "token", group: "Let in", summary: "Make, list and revoke tokens for programs" },
];
