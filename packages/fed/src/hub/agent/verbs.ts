import { Fault } from "#base/fault.ts";
import type { Origin } from "#hub/event/verbs.ts";
import { hashSecret } from "#hub/user/secret.ts";
import type { Caller } from "#wire/handler.ts";
import { type Agent, markOf } from "./agent.ts";
import { credentialStart, type Joins, openJoins } from "./join.ts";
import { openReports, type Reports } from "./loop.ts";
import type { AgentsNeeds } from "./need.ts";
import { deleteAgent, dropUnusedTokens, markLeaving, selectAgent, selectAgentByCredential } from "./store.ts";

/** The machines that report by themselves. */
export interface Agents extends Joins, Reports {
  /** Who shows this credential; undefined for what is none of ours. */
  identify(bearer: string | undefined): Caller | undefined;
  /** The same machine as it stands now; nobody when it has joined anew, or gone. */
  recall(caller: Extract<Caller, { kind: "machine" }>): Caller;
  /** What runs on this machine. */
  script(machine: string): string;
  /** Takes a machine out of the fleet; one that reports is told to remove what it runs for us. Resolves with whether that is done. */
  remove(name: string, origin: Origin, signal: AbortSignal): Promise<boolean>;
  /** A machine has removed what it ran for us. */
  left(machine: string, origin: Origin): void;
  close(): void;
}

export function openAgents(needs: AgentsNeeds): Agents {
  const { db, events, machines, kit } = needs;
  const joins = openJoins(needs);
  const reports = openReports(needs);
  const callerOf = (agent: Agent | undefined): Caller =>
    agent ? { kind: "machine", name: agent.machine, joinedMs: agent.joinedMs } : { kind: "nobody" };

  return {
    ...joins,
    ...reports,
    identify(bearer) {
      if (bearer?.startsWith(credentialStart) !== true) return undefined;
      return callerOf(selectAgentByCredential(db, hashSecret(bearer)));
    },
    recall({ name, joinedMs }) {
      const agent = selectAgent(db, name);
      return callerOf(agent?.joinedMs === joinedMs ? agent : undefined);
    },
    script: (machine) => kit.script(markOf(requireAgent(selectAgent(db, machine)))),
    async remove(name, origin, signal) {
      const change = machines.prepareRemoval(name);
      const reporting = selectAgent(db, name) !== undefined;
      events.deed(origin, (tx, emit) => {
        change.record(tx, emit);
        // Who holds one of these would bring it back.
        dropUnusedTokens(tx, name);
        if (reporting) markLeaving(tx, name);
      });
      change.take();
      return !reporting || (await reports.dismiss(name, signal));
    },
    left(machine, origin) {
      const agent = selectAgent(db, machine);
      // What is not asked to go has gone by itself: it is missed, and its name is kept for it.
      if (agent?.leaving !== true) return;
      events.deed(origin, (tx) => deleteAgent(tx, machine));
      reports.departed(machine);
    },
  };
}

function requireAgent(agent: Agent | undefined): Agent {
  if (agent) return agent;
  throw new Fault("missing", "this machine does not report to the hub any more");
}
