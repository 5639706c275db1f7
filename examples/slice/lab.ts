import { build, command, defineLab, http, image, server } from "@fed/lab";

/**
 * A whole application in containers, twice on this machine: a React page, the API behind it, PostgreSQL.
 * `fed up lab.ts`, then give each environment its password, as README.md says.
 */
export default defineLab({
  name: "slice",
  machines: {
    here: server({ address: "local" }),
  },
  environments: {
    dev: { machines: ["here"] },
    // What prod gets has run in dev: the same images.
    prod: { machines: ["here"], promoteFrom: "dev" },
  },
  secrets: {
    DATABASE_PASSWORD: { description: "Of PostgreSQL's user slice; any long random text." },
  },
  services: {
    web: {
      run: build("web"),
      port: 8080,
      health: http("/health", { every: "500ms" }),
      route: { dev: "slice-dev.localhost", prod: "slice.localhost" },
      env: { API_URL: { service: "api" } },
      replicas: { prod: 2 },
    },
    api: {
      run: build("api"),
      port: 8080,
      health: http("/health", { every: "500ms" }),
      env: {
        TITLE: { dev: "Notes (dev)", default: "Notes" },
        DATABASE: { service: "db" },
        DATABASE_PASSWORD_FILE: { secretFile: "DATABASE_PASSWORD" },
      },
      replicas: { prod: 2 },
    },
    db: {
      run: image("postgres:17"),
      port: 5432,
      // By its network address: while it makes its database it answers by a socket alone.
      health: command("pg_isready -h 127.0.0.1", { every: "500ms" }),
      env: {
        POSTGRES_USER: "slice",
        POSTGRES_PASSWORD_FILE: { secretFile: "DATABASE_PASSWORD" },
        // A folder inside the volume, whose own root need not be PostgreSQL's.
        PGDATA: "/var/lib/postgresql/data/db",
      },
      volumes: { data: { at: "/var/lib/postgresql/data" } },
      stopGrace: "30s",
    },
  },
});
