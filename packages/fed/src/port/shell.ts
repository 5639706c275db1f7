/**
 * Port `shell`: commands and byte streams on one machine. A shell connects when it is first used, keeps its connection open and
 * makes it anew after it was lost: nothing has to be opened before, only closed at the end.
 */
import type { Duplex } from "node:stream";

/** What to run. No shell reads it: each word arrives as it is. */
export interface ShellCommand {
  /** An argv, its first word looked up in the PATH of the user who logs in. */
  readonly argv: readonly string[];
  /** Added to what the user has. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export interface RunOptions {
  /** From the call on; then the command is ended on the machine, with what it started. */
  readonly timeoutMs: number;
  /** Of stdout and of stderr each; what is beyond is dropped while it runs on. 1 MiB when left out. */
  readonly outputBytes?: number | undefined;
  /** Its stdin, which is empty when left out. */
  readonly input?: Uint8Array | string | undefined;
}

/** How it ended, and what it said. What is no UTF-8 is replaced. */
export interface CommandOutcome {
  readonly kind: "exited" | "killed" | "timeout";
  /** Of `exited`; 127 when there is no such command, 126 when it may not be run. */
  readonly code?: number | undefined;
  /**
   * Of `killed`: such as "SIGKILL". A machine's shell tells a signal N as exit code 128 + N, so a command that exits with such a code
   * by itself may be told as killed.
   */
  readonly signal?: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Output beyond the limit was dropped. */
  readonly cut: boolean;
  readonly tookMs: number;
}

/** How a stream's command ended; `lost` when the connection did, and nobody knows. */
export type StreamEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "lost"; readonly reason: string };

/** A command that runs, in a channel of its own. */
export interface CommandStream {
  /** Its stdin and its stdout. Back pressure holds both ways: who does not read is not sent more. */
  readonly io: Duplex;
  /** The last 64 KiB of its stderr. */
  stderr(): string;
  /** Never rejects. */
  readonly ended: Promise<StreamEnd>;
  /** Ends it on the machine, with what it started; resolves when it has ended or is lost. */
  kill(): Promise<void>;
}

export interface UploadFile {
  /** Absolute. Its folder must be there. In place at once, when all of it has arrived: never half of it. */
  readonly path: string;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
  /** Such as 0o600. */
  readonly mode: number;
}

/** Something that listens on the machine. */
export type ForwardTarget =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/**
 * Faults: `unreachable` when the machine cannot be reached or is lost, `denied` when it does not let us in, and, with details
 * `{ hostKey: "changed" }`, when it is not the machine it was; `timeout` for a connection that takes too long; `invalid` for what
 * cannot be asked (an argv without words, NUL). No Fault names a secret. An abort ends what it began and rejects with its reason.
 */
export interface Shell {
  /** The adapter and the machine, such as `ssh node5`. */
  readonly name: string;
  /** Settles when the command itself has ended; what it left in the background runs on. */
  run(command: ShellCommand, options: RunOptions, signal: AbortSignal): Promise<CommandOutcome>;
  /** Resolves when it runs. */
  stream(command: ShellCommand, signal: AbortSignal): Promise<CommandStream>;
  /**
   * Moreover Faults `missing` (its folder), `denied` (not allowed to write there), `conflict` (a folder stands in its place) and
   * `unreachable` with details `{ disk: "full" }`. Nothing is left of what did not arrive.
   */
  upload(file: UploadFile, signal: AbortSignal): Promise<void>;
  /** A connection to what listens there, by way of the machine. */
  forward(target: ForwardTarget, signal: AbortSignal): Promise<Duplex>;
  /** Ends everything that runs through it. */
  close(): Promise<void>;
}

/** Where and how to log in by SSH. Whoever makes it reads the files and the secrets. */
export interface SshLogin {
  /** What the machine is called in messages. */
  readonly machine: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private keys, tried in this order. */
  readonly keys: readonly SshKey[];
  readonly password?: string | undefined;
  /** Socket of an SSH agent. */
  readonly agent?: string | undefined;
  /** Through which machine to go. */
  readonly jump?: SshLogin | undefined;
}

export interface SshKey {
  /** Where it comes from, for messages: a path or a name. */
  readonly from: string;
  /** OpenSSH's or PEM. */
  readonly text: string;
  readonly passphrase?: string | undefined;
}

/** The key a machine showed. */
export interface HostKey {
  /** Such as `ssh-ed25519`. */
  readonly type: string;
  /** As `ssh-keygen -l` shows it: `SHA256:…`. */
  readonly fingerprint: string;
}

export interface SshNeeds {
  /** How to log in, asked before each connection: keys and passwords may have changed. */
  login(signal: AbortSignal): Promise<SshLogin>;
  /** Whether the machine (or the jump host) is the one we know; called in the handshake, before anything secret is said. */
  checkHostKey(machine: string, address: string, key: HostKey): HostKeyVerdict;
  /**
   * The keys that machine is known by: it is asked for one of their types first, so that a machine with several keys is not taken for
   * a changed one.
   */
  knownHostKeys?(machine: string): readonly HostKey[];
}

export type HostKeyVerdict =
  | { readonly kind: "trusted" }
  /** The types for which keys are known, so that the machine is asked for one of these first. */
  | { readonly kind: "changed"; readonly known: readonly HostKey[] };
