import { command, definePart, image } from "@fed/lab";
import { base } from "./base.ts";

/** Where the data is: a database and a cache, each beside what uses it. */
export const data = definePart(base, {
  services: {
    database: {
      run: image("postgres:17"),
      port: 5432,
      health: command("pg_isready -U shop -d shop", { every: "2s", within: "2m" }),
      env: { POSTGRES_USER: "shop", POSTGRES_DB: "shop", POSTGRES_PASSWORD: { secret: "DATABASE_PASSWORD" } },
      volumes: { data: { at: "/var/lib/postgresql/data" } },
      on: { prod: "cellar1" },
      stopGrace: "1m",
      memory: { prod: "2GiB", default: "512MiB" },
      owner: "anne",
      runbook: "./runbook/database.md",
    },
    cache: {
      run: image("valkey/valkey:8"),
      port: 6379,
      health: command("valkey-cli ping"),
      on: { prod: "cellar1" },
      memory: "256MiB",
    },
  },
});
