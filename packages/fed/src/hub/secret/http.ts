import type { LabDocument } from "@fed/lab";
import type { Origin } from "#hub/event/verbs.ts";
import type { CallContext, HandlersOf } from "#wire/handler.ts";
import { requireFitting } from "./ssh-key.ts";
import { usesOf, usesOfValue } from "./use.ts";
import type { Vault } from "./verbs.ts";

type Names =
  | "credentials"
  | "setCredential"
  | "removeCredential"
  | "secrets"
  | "setSecret"
  | "removeSecret"
  | "rotateKey"
  | "recoverySheet"
  | "restoreKey"
  | "startOverKey";

export interface SecretDoor {
  readonly vault: Vault;
  /** What is wished now. */
  lab(): LabDocument;
  /** A secret has a value now; answers the keys of the services that waited for it and begin. */
  onSet(name: string, origin: Origin): readonly string[];
}

export function secretHandlers({ vault, lab, onSet }: SecretDoor): HandlersOf<Names> {
  const { values } = vault;
  const done = { done: true } as const;
  const originOf = ({ actor, correlation }: CallContext) => ({ actor, correlation });
  return {
    credentials: () => ({ credentials: [...vault.list()] }),
    async setCredential({ name, machine, value }, context) {
      requireFitting(name, value);
      await vault.set(originOf(context), { name, machine }, value);
      return done;
    },
    async removeCredential({ name, machine }, context) {
      await vault.remove(originOf(context), { name, machine });
      return done;
    },
    secrets() {
      const listed = values.list().map(({ environment, setMs, setBy, lost, ...rest }) => ({
        ...rest,
        ...(environment === undefined ? {} : { environment }),
        ...(setMs === undefined ? {} : { setMs, setBy }),
        ...(lost ? { lost } : {}),
      }));
      const missing = usesOf(lab()).filter((use) => !values.versionsOf(use.environment ?? "").has(use.name));
      return { secrets: listed, missing };
    },
    async setSecret({ name, environment, value }, context) {
      const set = await values.set(originOf(context), { name, environment }, value);
      const { secrets, environments } = lab();
      const only = Object.hasOwn(secrets, name) ? (secrets[name]?.in ?? Object.keys(environments)) : [];
      const declared = only.length > 0 && (environment === undefined || only.includes(environment));
      const own = new Set(values.list().flatMap((one) => (one.name === name ? [one.environment] : [])));
      const uses = usesOfValue(usesOf(lab()), { name, environment }, (where) => own.has(where));
      return { ...set, declared, uses: [...uses], begins: [...onSet(name, originOf(context))] };
    },
    async removeSecret({ name, environment }, context) {
      await values.remove(originOf(context), { name, environment });
      return done;
    },
    rotateKey: (_input, context) => vault.rotate(originOf(context)),
    recoverySheet: (_input, context) => vault.sheet(originOf(context)),
    restoreKey: ({ text }, context) => vault.restore(originOf(context), text),
    startOverKey: (_input, context) => vault.startOver(originOf(context)),
  };
}
