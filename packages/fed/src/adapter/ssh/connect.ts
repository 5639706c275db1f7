import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ServerHostKeyAlgorithm } from "ssh2";
import { untilAborted } from "#base/abort.ts";
import { type Clock, withDeadline } from "#base/clock.ts";
import { type Fault, isFault } from "#base/fault.ts";
import type { HostKey, SshLogin, SshNeeds } from "#port/shell.ts";
import { connectFault, keyFault, lateFault, loginFault, plain, refusedKeyOf } from "./failure.ts";
import { algorithmsFor, readHostKey } from "./host-key.ts";
import { type LoginWays, waysOf } from "./login.ts";

/** An SSH connection that is up, until it is lost. */
export interface Connection {
  readonly client: Client;
  readonly login: SshLogin;
  /** Why it is gone; undefined while it is up. */
  readonly gone: string | undefined;
  /** Calls back once when it is gone; answers how to be called no more. */
  onGone(call: (reason: string) => void): () => void;
  /** Counts what arrives. */
  readonly readBytes: () => number;
  /** Hangs up. */
  end(reason: string): void;
}

export type HostKeyNeeds = Pick<SshNeeds, "checkHostKey" | "knownHostKeys">;

/** From the first packet to the end of the login. */
const connectMs = 10_000;

/** Opens the way to the machine: a socket, or a channel through another machine. */
export type OpenWay = (signal: AbortSignal) => Promise<Duplex>;

/** Connects and logs in. What was begun is gone when it rejects. */
export async function connect(
  login: SshLogin,
  needs: HostKeyNeeds & { readonly clock: Clock },
  openWay: OpenWay | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  const known = needs.knownHostKeys?.(login.machine) ?? [];
  const once = (keys: readonly HostKey[]) => {
    const late = lateFault(login, connectMs);
    const work = async (inner: AbortSignal) => {
      const way = await (openWay ?? directWay(login))(inner);
      return logIn(login, needs, way, algorithmsFor(keys), inner);
    };
    return withDeadline(needs.clock, connectMs, "", work, signal).catch((thrown: unknown) => {
      throw isFault(thrown) && thrown.code === "timeout" ? late : thrown;
    });
  };
  try {
    return await once(known);
  } catch (thrown) {
    const others = otherTypes(thrown);
    if (others === undefined || known.length > 0) throw thrown;
    return once(others);
  }
}

/** The keys it is known by, if the one it showed is of another type: it may have one of these, too. */
function otherTypes(thrown: unknown): readonly HostKey[] | undefined {
  const { known = [], offered } = (isFault(thrown) ? refusedKeyOf(thrown.details) : undefined) ?? {};
  return known.length === 0 || known.some(({ type }) => type === offered?.type) ? undefined : known;
}

function directWay(login: SshLogin): OpenWay {
  return (signal) => {
    const socket = connectSocket({ host: login.host, port: login.port, noDelay: true });
    const opened = new Promise<Duplex>((resolve, reject) => {
      socket.once("connect", () => resolve(socket));
      socket.on("error", (error) => reject(connectFault(login, error)));
    });
    return untilAborted(opened, signal).catch((thrown: unknown) => {
      socket.destroy();
      throw thrown;
    });
  };
}

function logIn(
  login: SshLogin,
  needs: HostKeyNeeds,
  way: Duplex,
  serverHostKey: ServerHostKeyAlgorithm[],
  signal: AbortSignal,
): Promise<Connection> {
  const client = new ssh2.Client();
  const ways = waysOf(login);
  let refused: Fault | undefined;
  let left = "";
  const opened = new Promise<Connection>((resolve, reject) => {
    const fail = (thrown: unknown) => reject(refused ?? faultOf(login, ways, left, thrown));
    client.once("ready", () => resolve(connectionOf(client, login, way)));
    // An agent that is not there is one way less.
    client.on("error", (error) => (error.level === "agent" ? undefined : fail(error)));
    client.once("close", () => fail(new Error("Connection lost before handshake")));
    client.once("change password", () => fail(new Error("it asks for a new password")));
    client.connect({
      sock: way as NonNullable<Parameters<Client["connect"]>[0]["sock"]>,
      username: login.user,
      readyTimeout: 0,
      strictVendor: false,
      // Packed packets have no limit to what comes out of them: 256 KiB may become as many MiB.
      algorithms: { serverHostKey, compress: ["none"] },
      hostVerifier: (blob: Buffer) => {
        const key = readHostKey(blob);
        const verdict = needs.checkHostKey(login.machine, login.host, key);
        if (verdict.kind === "changed") refused = keyFault(login, key, verdict.known);
        return verdict.kind === "trusted";
      },
      authHandler: (allowed: readonly string[] | null, _partial, next) => {
        // Asks what it allows before anything is tried, so that it does not count ways that are of no use.
        if (allowed === null) return next("none");
        left = plain(allowed.join(", "));
        const method = ways.next(allowed);
        if (method === undefined) fail(undefined);
        else next(method);
      },
    });
  });
  return untilAborted(opened, signal).catch((thrown: unknown) => {
    client.on("error", () => {});
    client.end();
    way.destroy();
    throw thrown;
  });
}

function faultOf(login: SshLogin, ways: LoginWays, left: string, thrown: unknown): Fault {
  const isLogin = thrown === undefined || (thrown instanceof Error && /authentication fail/i.test(thrown.message));
  return isLogin ? loginFault(login, ways.tried, ways.notes, left) : connectFault(login, thrown);
}

function connectionOf(client: Client, login: SshLogin, way: Duplex): Connection {
  const waiting = new Set<(reason: string) => void>();
  let gone: string | undefined;
  let arrived = 0;
  way.on("data", (bytes: Buffer) => {
    arrived += bytes.length;
  });
  const end = (reason: string) => {
    if (gone !== undefined) return;
    gone = reason;
    client.end();
    way.destroy();
    for (const call of [...waiting]) call(reason);
    waiting.clear();
  };
  client.removeAllListeners("error");
  client.on("error", (error) => end(plain(error.message)));
  client.once("close", () => end("it hung up"));
  return {
    ...{ client, login, end, readBytes: () => arrived },
    get gone() {
      return gone;
    },
    onGone(call) {
      if (gone !== undefined) call(gone);
      else waiting.add(call);
      return () => void waiting.delete(call);
    },
  };
}
