import { Fault } from "#base/fault.ts";
import type { AgentKit } from "#port/agent.ts";
import type { CallContext, HandlersOf } from "#wire/handler.ts";
import { badTokens, newTokenHint } from "./agent.ts";
import type { Agents } from "./verbs.ts";

export function agentHandlers(needs: {
  readonly agents: Agents;
  readonly kit: Pick<AgentKit, "join" | "refuse">;
}): HandlersOf<"allowJoin" | "joinScript" | "claimJoin" | "agentScript" | "report" | "leaveFleet" | "removeMachine"> {
  const { agents, kit } = needs;
  return {
    allowJoin({ name, kind }, { actor, correlation }) {
      const { token, expiresMs } = agents.allow(name, kind, { actor, correlation });
      return { token, path: `/join/${token}`, expiresMs };
    },
    joinScript({ token }, { origin }) {
      // Who pipes this into a shell sees nothing of a status: the script has to say it.
      const verdict = agents.look(token);
      if (verdict.kind !== "good") return kit.refuse(badTokens[verdict.kind], newTokenHint);
      return kit.join({ machine: verdict.token.machine, url: origin, token });
    },
    claimJoin: ({ token }, { address, correlation }) => agents.claim(token, { address, correlation }).credential,
    agentScript: (_input, context) => agents.script(machineOf(context)),
    report: (input, context) => agents.report(machineOf(context), input, context),
    leaveFleet(_input, context) {
      const { actor, correlation } = context;
      agents.left(machineOf(context), { actor, correlation });
      return { done: true };
    },
    async removeMachine({ name }, { actor, correlation, signal }) {
      return { uninstalled: await agents.remove(name, { actor, correlation }, signal) };
    },
  };
}

/** Who it is, the credential says: nothing that a machine sends can make it another. */
function machineOf({ caller }: CallContext): string {
  if (caller.kind === "machine") return caller.name;
  throw new Fault("denied", "only a machine that reports by itself may do this");
}
