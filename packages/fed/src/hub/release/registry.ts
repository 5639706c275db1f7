import { type LabDocument, registryOf } from "@fed/lab";
import { Fault, isFault } from "#base/fault.ts";
import type { RegistryLogin } from "#port/image.ts";

export interface RegistryNeeds {
  /** Those of the lab. */
  registries(): LabDocument["registries"];
  /** The value of a secret for the hub itself. Fault `missing`. */
  readSecret(name: string): Promise<string>;
}

/** Who the hub is to registries, as the lab says it. */
export interface Registries {
  /** Undefined: nobody. Fault `missing` when the password has no value. */
  loginFor(reference: string): Promise<RegistryLogin | undefined>;
  /** To all of them, by host; of one whose password has no value it says so, and leaves it out. */
  logins(say: (line: string) => void): Promise<Readonly<Record<string, RegistryLogin>>>;
  /** The same fault, with what to do about it in the words of the lab. */
  explain(thrown: unknown, reference: string): unknown;
  /** The same of a build, which may begin with images of any of them. */
  explainBuild(thrown: unknown): unknown;
}

export function makeRegistries({ registries, readSecret }: RegistryNeeds): Registries {
  const authOf = (registry: string) => {
    const all = registries() ?? {};
    return Object.hasOwn(all, registry) ? all[registry]?.auth : undefined;
  };

  async function loginTo(registry: string): Promise<RegistryLogin | undefined> {
    const auth = authOf(registry);
    if (auth === undefined) return undefined;
    try {
      return { user: auth.user, password: await readSecret(auth.password.secret) };
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      throw new Fault(thrown.code, `fed cannot log in to ${registry}: ${thrown.message}`, {
        cause: thrown,
        hint: thrown.hint,
      });
    }
  }

  return {
    loginFor: (reference) => loginTo(registryOf(reference)),
    async logins(say) {
      const found: [string, RegistryLogin][] = [];
      for (const registry of Object.keys(registries() ?? {})) {
        const login = await loginTo(registry).catch((thrown: unknown) => {
          if (!isFault(thrown)) throw thrown;
          say(thrown.hint === undefined ? thrown.message : `${thrown.message}: ${thrown.hint}`);
          return undefined;
        });
        if (login !== undefined) found.push([registry, login]);
      }
      return Object.fromEntries(found);
    },
    explain(thrown, reference) {
      if (!isFault(thrown) || thrown.code !== "denied") return thrown;
      const { code, message, cause, details } = thrown;
      return new Fault(code, message, { cause, details, hint: hintFor(registryOf(reference), authOf) });
    },
    explainBuild(thrown) {
      if (!isFault(thrown) || !isAboutLogin(thrown.details)) return thrown;
      const { code, message, cause, details } = thrown;
      return new Fault(code, message, { cause, details, hint: hintForBuild(registries() ?? {}) });
    },
  };
}

const isAboutLogin = (details: unknown) =>
  typeof details === "object" && details !== null && "login" in details && details.login === "refused";

function hintForBuild(registries: NonNullable<LabDocument["registries"]>): string {
  const known = Object.entries(registries).flatMap(([registry, { auth }]) =>
    auth
      ? [`fed is ${auth.user} to ${registry}, and \`fed secret set ${auth.password.secret}\` gives its password`]
      : [],
  );
  const others = "the lab's `registries` say who fed is to a registry";
  return `It begins with an image that its registry does not give us: ${[...known, others].join("; ")}`;
}

function hintFor(
  registry: string,
  authOf: (registry: string) => { readonly user: string; readonly password: { readonly secret: string } } | undefined,
): string {
  const auth = authOf(registry);
  if (auth === undefined) {
    return `${registry} does not know who fed is: say it in the lab, registries: { "${registry}": { auth: { user: "…", password: { secret: "NAME" } } } }, and look at the image's name`;
  }
  const { user, password } = auth;
  return `${registry} does not give it to ${user}: \`fed secret set ${password.secret}\` gives another password, and may ${user} have it at all?`;
}
