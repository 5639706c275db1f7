import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { SshLogin } from "#port/shell.ts";
import { type Connection, connect, type HostKeyNeeds } from "./connect.ts";
import { lostFault } from "./failure.ts";
import { openForward } from "./forward.ts";
import { type Link, openLink } from "./link.ts";

/** Connections to machines through which others are reached: each is made once, and shared by all machines behind it. */
export interface JumpHosts {
  readonly links: Map<string, { readonly link: Link; login: SshLogin; users: number }>;
}

export function makeJumpHosts(): JumpHosts {
  return { links: new Map() };
}

export interface DialNeeds extends HostKeyNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly jumps: JumpHosts;
}

/** Connects to the machine, by way of its jump host if it has one, which is let go again when the connection is gone. */
export async function dial(login: SshLogin, needs: DialNeeds, signal: AbortSignal): Promise<Connection> {
  const { jump } = login;
  if (jump === undefined) return connect(login, needs, undefined, signal);
  const { link, leave } = enter(jump, needs);
  try {
    const openWay = async (inner: AbortSignal): Promise<Duplex> => {
      const through = await link.take(inner);
      const target = { kind: "tcp", host: login.host, port: login.port } as const;
      return openForward(through, target, inner).catch((thrown: unknown) => {
        if (inner.aborted) throw inner.reason;
        throw through.gone === undefined ? behind(login, jump, thrown) : lostFault(jump.machine, through.gone);
      });
    };
    const connection = await connect(login, needs, openWay, signal);
    connection.onGone(leave);
    return connection;
  } catch (thrown) {
    leave();
    throw thrown;
  }
}

function enter(login: SshLogin, needs: DialNeeds): { readonly link: Link; leave(): void } {
  const { links } = needs.jumps;
  const id = wayOf(login);
  const entry = links.get(id) ?? {
    link: openLink(login.machine, {
      ...{ clock: needs.clock, trace: needs.trace, known: needs.knownHostKeys },
      // The newest one that somebody came with.
      login: async () => links.get(id)?.login ?? login,
      dial: (newest, signal) => dial(newest, needs, signal),
    }),
    ...{ login, users: 0 },
  };
  links.set(id, entry);
  entry.login = login;
  entry.users++;
  let inside = true;
  return {
    link: entry.link,
    leave() {
      if (!inside) return;
      inside = false;
      entry.users--;
      if (entry.users > 0) return;
      links.delete(id);
      entry.link.close();
    },
  };
}

/** What makes two ways through a machine the same. */
function wayOf({ machine, host, port, user, jump }: SshLogin): string {
  return JSON.stringify([machine, host, port, user, jump === undefined ? "" : wayOf(jump)]);
}

function behind(login: SshLogin, jump: SshLogin, cause: unknown): Fault {
  const message = `${login.machine} (${login.host}:${login.port}) cannot be reached through ${jump.machine}`;
  return new Fault("unreachable", message, {
    ...{ cause, hint: `Is it on, and does the sshd of ${jump.machine} allow forwarding (AllowTcpForwarding)?` },
  });
}
