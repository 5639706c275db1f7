import type { CommandEntry } from "./command.ts";

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
    name: "status",
    group: "See",
    summary: "Show what runs, where, and how it is",
    load: async () => (await import("./command/status.ts")).command,
  },
  {
    name: "logs",
    group: "See",
    summary: "Show what a service writes",
    load: async () => (await import("./command/logs.ts")).command,
  },
  {
    name: "doctor",
    group: "Keep",
    summary: "Say what this machine has and lacks, and for which feature",
    load: async () => (await import("./command/doctor.ts")).command,
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
