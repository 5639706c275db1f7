import { readFileSync } from "node:fs";

/** What the API is told by its environment. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly title: string;
  readonly environment: string;
  readonly database: { readonly host: string; readonly port: number; readonly password: string };
}

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const need = (name: string) => {
    const value = environment[name];
    if (value === undefined || value === "") throw new Error(`${name} is not set; the lab sets it`);
    return value;
  };
  // As `{ service: "db" }` has it: host:port.
  const database = new URL(`tcp://${need("DATABASE")}`);
  return {
    host: environment.HOST ?? "127.0.0.1",
    port: Number(need("PORT")),
    title: environment.TITLE ?? "Notes",
    environment: environment.FED_ENVIRONMENT ?? "",
    database: {
      host: database.hostname,
      port: Number(database.port),
      password: readFileSync(need("DATABASE_PASSWORD_FILE"), "utf8").trim(),
    },
  };
}
