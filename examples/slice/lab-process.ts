import { defineLab, http, process, server, tcp } from "@fed/lab";

/**
 * The same application without containers: processes of this machine, which has Node.js 24 and Debian's package
 * `postgresql`. Run `npm ci` in `api` and `web` and `npm run build` in `web` first.
 */
export default defineLab({
  name: "slice",
  machines: {
    here: server({ address: "local" }),
  },
  environments: {
    dev: { machines: ["here"] },
    prod: { machines: ["here"] },
  },
  secrets: {
    DATABASE_PASSWORD: { description: "Of PostgreSQL's user slice; any long random text." },
  },
  services: {
    web: {
      run: process("node server.ts", { folder: "web" }),
      health: http("/health", { every: "500ms" }),
      route: { dev: "slice-dev.localhost", prod: "slice.localhost" },
      env: { API_URL: { service: "api" } },
      replicas: { prod: 2 },
    },
    api: {
      run: process("node src/main.ts", { folder: "api" }),
      health: http("/health", { every: "500ms" }),
      env: {
        TITLE: { dev: "Notes (dev)", default: "Notes" },
        DATABASE: { service: "db" },
        DATABASE_PASSWORD_FILE: { secretFile: "DATABASE_PASSWORD" },
      },
      replicas: { prod: 2 },
    },
    db: {
      run: process("sh start.sh", { folder: "db" }),
      health: tcp({ every: "500ms" }),
      env: {
        POSTGRES_USER: "slice",
        POSTGRES_PASSWORD_FILE: { secretFile: "DATABASE_PASSWORD" },
      },
      volumes: { data: {} },
      stopGrace: "30s",
    },
  },
});
