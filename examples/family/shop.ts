import { build, definePart, http, process } from "@fed/lab";
import { base } from "./base.ts";
import { data } from "./data.ts";

const health = http("/health", { every: "1s", timeout: "2s" });

/** The shop itself: what people see, the API behind it, and what happens later. */
export const shop = definePart(base, {
  uses: [data],
  services: {
    web: {
      run: { dev: process("npm run dev", { folder: "./web" }), default: build("./web") },
      port: { staging: 8080, prod: 8080 },
      health,
      route: { dev: "shop.localhost", staging: "shop-staging.example.org", prod: "shop.example.org" },
      env: { API_URL: { service: "api" }, LOG_LEVEL: { dev: "debug", default: "info" } },
      replicas: { prod: 2, default: 1 },
      on: { prod: "cellar1" },
      repo: "https://git.example.org/family/shop",
      links: { analytics: "https://stats.example.org/shop" },
    },
    api: {
      run: { dev: process(["node", "--watch", "server.mjs"], { folder: "./api" }), default: build("./api") },
      port: { staging: 8080, prod: 8080 },
      health,
      route: { dev: "api.shop.localhost", staging: "api-staging.example.org", prod: "api.example.org" },
      env: {
        DATABASE: { service: "database" },
        DATABASE_PASSWORD: { secret: "DATABASE_PASSWORD" },
        CACHE: { service: "cache" },
        PAYMENT_KEY: { dev: "none: payments always succeed", default: { secret: "PAYMENT_KEY" } },
      },
      replicas: { prod: 2 },
      on: { prod: "cellar1" },
      cpu: { prod: 2 },
      memory: { prod: "1GiB", default: "512MiB" },
      owner: "ben",
      runbook: "./runbook/api.md",
    },
    mailer: {
      run: build("./mailer"),
      in: ["prod"],
      env: { API_URL: { service: "api" }, SMTP_HOST: "mail.example.org", SMTP_PASSWORD: { secret: "SMTP_PASSWORD" } },
      needs: ["cache"],
      stopGrace: "30s",
      owner: "ben",
    },
  },
});
