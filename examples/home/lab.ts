import { command, defineLab, http, image, server, tcp } from "@fed/lab";

/**
 * A home on one server in the cellar: photos, films, music, documents, passwords, code and what watches over it. On a
 * container network a service's name is its host name; where a program wants more than an address (a connection string
 * with a password), it is a secret.
 */

const timezone = "Europe/Berlin";

/** Films, music and books are on a disk of their own and shared by several services. */
const media = (folder: string) => ({ at: `/${folder}`, host: `/srv/media/${folder}`, readOnly: true });

export default defineLab({
  name: "home",
  machines: {
    hub: server({ address: "local" }),
    cellar: server({ address: "192.168.178.20", user: "fed", labels: { gpu: "intel-arc" } }),
  },
  environments: {
    home: { machines: ["cellar", "hub"] },
  },
  // What the hub measures is also kept for years, by a VictoriaMetrics on the machine in the cellar.
  metrics: {
    remoteWrite: { years: { url: "http://192.168.178.20:8428/api/v1/write", drop: ['{__name__=~"go_.+"}'] } },
  },
  secrets: {
    IMMICH_DATABASE_PASSWORD: { description: "Any long random text." },
    PAPERLESS_KEY: { description: "PAPERLESS_SECRET_KEY: any long random text; signs sessions." },
    VAULTWARDEN_ADMIN: { description: "Argon2 hash made with `vaultwarden hash`." },
    NEXTCLOUD_DATABASE_PASSWORD: { description: "Any long random text." },
    GRAFANA_PASSWORD: { description: "Of the first user, admin." },
  },
  services: {
    // Photos
    immich: {
      run: image("ghcr.io/immich-app/immich-server:v1.132.3"),
      port: 2283,
      health: http("/api/server/ping", { every: "5s", within: "3m" }),
      route: "photos.home.example.org",
      env: {
        TZ: timezone,
        DB_HOSTNAME: "immich-database",
        DB_USERNAME: "immich",
        DB_DATABASE_NAME: "immich",
        DB_PASSWORD: { secret: "IMMICH_DATABASE_PASSWORD" },
        REDIS_HOSTNAME: "immich-cache",
        IMMICH_MACHINE_LEARNING_URL: { service: "immich-learning" },
      },
      volumes: { photos: { at: "/usr/src/app/upload", host: "/srv/photos" } },
      needs: ["immich-database", "immich-cache"],
      memory: "4GiB",
      owner: "anne",
      links: { manual: "https://immich.app/docs" },
    },
    "immich-learning": {
      run: image("ghcr.io/immich-app/immich-machine-learning:v1.132.3"),
      port: 3003,
      health: http("/ping", { every: "10s", within: "5m" }),
      volumes: { models: { at: "/cache" } },
      cpu: 4,
      memory: "6GiB",
    },
    "immich-database": {
      run: image("ghcr.io/immich-app/postgres:14-vectorchord0.3.0-pgvectors0.2.0"),
      port: 5432,
      health: command("pg_isready -U immich -d immich", { every: "2s", within: "2m" }),
      env: {
        POSTGRES_USER: "immich",
        POSTGRES_DB: "immich",
        POSTGRES_PASSWORD: { secret: "IMMICH_DATABASE_PASSWORD" },
        POSTGRES_INITDB_ARGS: "--data-checksums",
      },
      volumes: { data: { at: "/var/lib/postgresql/data" } },
      stopGrace: "1m",
      memory: "2GiB",
    },
    "immich-cache": {
      run: image("valkey/valkey:8-bookworm"),
      port: 6379,
      health: command("valkey-cli ping"),
      memory: "256MiB",
    },

    // Films, music, books
    jellyfin: {
      run: image("jellyfin/jellyfin:10.10.7"),
      port: 8096,
      health: http("/health", { every: "5s", within: "2m" }),
      route: "films.home.example.org",
      env: { JELLYFIN_PublishedServerUrl: "https://films.home.example.org" },
      volumes: { config: { at: "/config" }, cache: { at: "/cache" }, films: media("films"), series: media("series") },
      cpu: 6,
      memory: "4GiB",
    },
    navidrome: {
      run: image("deluan/navidrome:0.55.2"),
      port: 4533,
      health: http("/ping"),
      route: "music.home.example.org",
      env: { ND_SCANNER_SCHEDULE: "@every 6h" },
      volumes: { data: { at: "/data" }, music: media("music") },
      memory: "512MiB",
    },
    audiobookshelf: {
      run: image("ghcr.io/advplyr/audiobookshelf:2.21.0"),
      port: 80,
      health: http("/healthcheck", { every: "5s" }),
      route: "books.home.example.org",
      volumes: { config: { at: "/config" }, metadata: { at: "/metadata" }, audiobooks: media("audiobooks") },
      memory: "512MiB",
    },

    // Documents and daily life
    paperless: {
      run: image("ghcr.io/paperless-ngx/paperless-ngx:2.15.3"),
      port: 8000,
      health: http("/", { every: "10s", within: "5m" }),
      route: "papers.home.example.org",
      env: {
        PAPERLESS_URL: "https://papers.home.example.org",
        PAPERLESS_TIME_ZONE: timezone,
        PAPERLESS_OCR_LANGUAGE: "deu+eng",
        PAPERLESS_REDIS: "redis://paperless-queue:6379",
        PAPERLESS_SECRET_KEY: { secret: "PAPERLESS_KEY" },
      },
      volumes: {
        data: { at: "/usr/src/paperless/data" },
        media: { at: "/usr/src/paperless/media" },
        inbox: { at: "/usr/src/paperless/consume", host: "/srv/scanner" },
      },
      needs: ["paperless-queue"],
      memory: "2GiB",
      owner: "ben",
    },
    "paperless-queue": {
      run: image("valkey/valkey:8-bookworm"),
      port: 6379,
      health: command("valkey-cli ping"),
      volumes: { data: { at: "/data" } },
      memory: "256MiB",
    },
    nextcloud: {
      run: image("nextcloud:31-apache"),
      port: 80,
      health: http("/status.php", { every: "10s", within: "5m" }),
      route: "cloud.home.example.org",
      env: {
        POSTGRES_HOST: { service: "nextcloud-database" },
        POSTGRES_DB: "nextcloud",
        POSTGRES_USER: "nextcloud",
        POSTGRES_PASSWORD: { secret: "NEXTCLOUD_DATABASE_PASSWORD" },
        NEXTCLOUD_TRUSTED_DOMAINS: "cloud.home.example.org",
        OVERWRITEPROTOCOL: "https",
      },
      volumes: { html: { at: "/var/www/html" } },
      memory: "2GiB",
    },
    "nextcloud-database": {
      run: image("postgres:17"),
      port: 5432,
      health: command("pg_isready -U nextcloud", { every: "2s", within: "2m" }),
      env: {
        POSTGRES_DB: "nextcloud",
        POSTGRES_USER: "nextcloud",
        POSTGRES_PASSWORD: { secret: "NEXTCLOUD_DATABASE_PASSWORD" },
      },
      volumes: { data: { at: "/var/lib/postgresql/data" } },
      stopGrace: "1m",
      memory: "1GiB",
    },
    vaultwarden: {
      run: image("vaultwarden/server:1.33.2"),
      port: 80,
      health: http("/alive"),
      route: "passwords.home.example.org",
      env: {
        DOMAIN: "https://passwords.home.example.org",
        SIGNUPS_ALLOWED: "false",
        ADMIN_TOKEN: { secret: "VAULTWARDEN_ADMIN" },
      },
      volumes: { data: { at: "/data" } },
      memory: "256MiB",
      owner: "anne",
    },
    mealie: {
      run: image("ghcr.io/mealie-recipes/mealie:v2.8.0"),
      port: 9000,
      health: http("/api/app/about", { every: "5s" }),
      route: "recipes.home.example.org",
      env: { TZ: timezone, ALLOW_SIGNUP: "false", BASE_URL: "https://recipes.home.example.org" },
      volumes: { data: { at: "/app/data" } },
      memory: "1GiB",
    },
    freshrss: {
      run: image("freshrss/freshrss:1.26.2"),
      port: 80,
      health: http("/i/", { every: "10s" }),
      route: "news.home.example.org",
      env: { TZ: timezone, CRON_MIN: "3,33" },
      volumes: { data: { at: "/var/www/FreshRSS/data" }, extensions: { at: "/var/www/FreshRSS/extensions" } },
      memory: "256MiB",
    },
    syncthing: {
      run: image("syncthing/syncthing:1.29.6"),
      port: 8384,
      health: http("/rest/noauth/health"),
      route: "sync.home.example.org",
      volumes: { data: { at: "/var/syncthing" } },
      memory: "512MiB",
    },

    // The house itself
    "home-assistant": {
      run: image("ghcr.io/home-assistant/home-assistant:2025.5.3"),
      port: 8123,
      hostPort: 8123, // Speakers and lamps at home find it by the machine's own address.
      health: http("/manifest.json", { every: "10s", within: "5m" }),
      route: "house.home.example.org",
      env: { TZ: timezone, MQTT: { service: "mosquitto" } },
      volumes: { config: { at: "/config" } },
      memory: "2GiB",
      runbook: "./runbook/home-assistant.md",
    },
    mosquitto: {
      run: image("eclipse-mosquitto:2.0.21"),
      port: 1883,
      hostPort: 1883,
      health: tcp(),
      volumes: { data: { at: "/mosquitto/data" }, config: { at: "/mosquitto/config" } },
      memory: "128MiB",
    },

    // Code and watching
    forgejo: {
      run: image("codeberg.org/forgejo/forgejo:11"),
      port: 3000,
      health: http("/api/healthz", { every: "5s" }),
      route: "git.home.example.org",
      env: {
        FORGEJO__server__ROOT_URL: "https://git.home.example.org/",
        FORGEJO__service__DISABLE_REGISTRATION: "true",
      },
      volumes: { data: { at: "/data" } },
      memory: "1GiB",
    },
    prometheus: {
      run: image("prom/prometheus:v3.3.1"),
      port: 9090,
      health: http("/-/healthy"),
      volumes: { data: { at: "/prometheus" } },
      memory: "1GiB",
    },
    grafana: {
      run: image("grafana/grafana:12.0.0"),
      port: 3000,
      health: http("/api/health"),
      route: "charts.home.example.org",
      env: {
        GF_SERVER_ROOT_URL: "https://charts.home.example.org",
        GF_SECURITY_ADMIN_PASSWORD: { secret: "GRAFANA_PASSWORD" },
        PROMETHEUS_URL: { service: "prometheus" },
      },
      volumes: { data: { at: "/var/lib/grafana" } },
      memory: "512MiB",
    },
  },
});
