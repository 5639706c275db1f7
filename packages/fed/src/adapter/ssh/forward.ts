import type { Duplex } from "node:stream";
import { Fault, isFault } from "#base/fault.ts";
import type { ForwardTarget } from "#port/shell.ts";
import { openChannel } from "./channel.ts";
import type { Connection } from "./connect.ts";

/** Of RFC 4254: the server's own rules forbid it. */
const prohibited = 1;

/** A connection to what listens on the machine, or is reached from it. */
export async function openForward(connection: Connection, target: ForwardTarget, signal: AbortSignal): Promise<Duplex> {
  const { client, login } = connection;
  const where = target.kind === "socket" ? target.path : `${target.host}:${target.port}`;
  try {
    const channel = await openChannel(
      connection,
      (opened) => {
        if (target.kind === "socket") client.openssh_forwardOutStreamLocal(target.path, opened);
        else client.forwardOut("127.0.0.1", 0, target.host, target.port, opened);
      },
      signal,
    );
    // Its end is told; what broke it is nobody's error.
    channel.on("error", () => {});
    return channel;
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (isFault(thrown)) throw thrown;
    const reason = typeof thrown === "object" && thrown !== null && "reason" in thrown ? thrown.reason : undefined;
    if (reason === prohibited) {
      throw new Fault("denied", `${login.machine} lets nobody through to ${where}`, {
        ...{ cause: thrown, hint: "Allow it in its sshd_config: AllowTcpForwarding, AllowStreamLocalForwarding." },
      });
    }
    throw new Fault("unreachable", `nothing answers at ${where} on ${login.machine}`, { cause: thrown });
  }
}
