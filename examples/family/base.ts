import { defineBase } from "@fed/lab";
import { machines } from "./machine.ts";

/** What every part of the lab stands on: machines, environments, secrets. */
export const base = defineBase({
  name: "family",
  machines,
  environments: {
    dev: { machines: ["hub", "laptop"] },
    staging: { machines: ["hub"], promoteFrom: "dev" },
    prod: { machines: ["cellar1", "cellar2"], promoteFrom: "staging", approval: true },
  },
  secrets: {
    DATABASE_PASSWORD: { description: "Of the user `shop` in the database; any long random text." },
    PAYMENT_KEY: { in: ["staging", "prod"], description: "From the payment provider; staging has a test key." },
    SMTP_PASSWORD: { in: ["prod"], description: "Of the mailbox shop@example.org." },
  },
});
