import type { CallContext, HandlersOf } from "#wire/handler.ts";
import { requireFitting } from "./ssh-key.ts";
import type { Vault } from "./verbs.ts";

type Names =
  | "credentials"
  | "setCredential"
  | "removeCredential"
  | "rotateKey"
  | "recoverySheet"
  | "restoreKey"
  | "startOverKey";

export function secretHandlers({ vault }: { readonly vault: Vault }): HandlersOf<Names> {
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
    rotateKey: (_input, context) => vault.rotate(originOf(context)),
    recoverySheet: (_input, context) => vault.sheet(originOf(context)),
    restoreKey: ({ text }, context) => vault.restore(originOf(context), text),
    startOverKey: (_input, context) => vault.startOver(originOf(context)),
  };
}
