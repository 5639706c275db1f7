import { defineLab, http, process, server } from "@fed/lab";

/** Two small services on this machine: a site, and the API it calls. `./fed up` runs it. */
export default defineLab({
  name: "starter",
  machines: {
    here: server({ address: "local" }),
  },
  environments: {
    dev: { machines: ["here"] },
  },
  services: {
    site: {
      run: process("node server.mjs", { folder: "site" }),
      health: http("/health", { every: "200ms", timeout: "2s" }),
      route: "site.localhost",
      env: { API_URL: { service: "api" } },
    },
    api: {
      run: process("node server.mjs", { folder: "api" }),
      health: http("/health", { every: "200ms", timeout: "2s" }),
      route: "api.localhost",
      env: { GREETING: "Hello from the API" },
    },
  },
});
