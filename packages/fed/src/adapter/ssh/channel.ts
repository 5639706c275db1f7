import type { ClientChannel } from "ssh2";
import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";
import type { Connection } from "./connect.ts";
import { lostFault } from "./failure.ts";

type Opened = (error: Error | undefined, channel: ClientChannel) => void;

/** Beyond the 2 MiB of a window, which is all that a server may send unasked: one that sends more does not keep to the protocol. */
const unreadBytes = 8 * 1024 * 1024;

/** Opens a channel. One that opens after the signal has aborted is closed. */
export function openChannel(
  connection: Connection,
  open: (opened: Opened) => void,
  signal: AbortSignal,
): Promise<ClientChannel> {
  signal.throwIfAborted();
  const opened = new Promise<ClientChannel>((resolve, reject) => {
    if (connection.gone !== undefined) return reject(lostFault(connection.login.machine, connection.gone));
    const fail = (error: unknown) =>
      reject(connection.gone === undefined ? error : lostFault(connection.login.machine, connection.gone));
    try {
      open((error, channel) => {
        if (error !== undefined && error !== null) return fail(error);
        if (signal.aborted) channel.close();
        bound(channel, connection);
        resolve(channel);
      });
    } catch (thrown) {
      fail(thrown);
    }
  });
  return untilAborted(opened, signal);
}

/** A channel whose program is `sh`. Only a plain word is said to the login shell, which may be of any kind. */
export async function openSh(connection: Connection, signal: AbortSignal): Promise<ClientChannel> {
  try {
    return await openChannel(connection, (opened) => connection.client.exec("exec sh", opened), signal);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (thrown instanceof Fault) throw thrown;
    throw new Fault("unreachable", `${connection.login.machine} opens no more channels`, {
      ...{ cause: thrown, hint: "Its sshd lets only so many run at once: see MaxSessions in its sshd_config." },
    });
  }
}

function bound(channel: ClientChannel, connection: Connection): void {
  const push = channel.push.bind(channel);
  channel.push = (bytes, encoding) => {
    if (channel.readableLength > unreadBytes) connection.end("it sent more than it may");
    return push(bytes, encoding);
  };
}
