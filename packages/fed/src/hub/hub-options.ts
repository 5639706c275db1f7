import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { FirstLab } from "./desk.ts";
import type { OwnLogin } from "./machine/login.ts";
import type { GivenKeys } from "./secret/verbs.ts";

/** What a hub is opened with. */
export interface HubOptions {
  readonly dataFolder: string;
  readonly lab: FirstLab;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly ingressPort: number;
  /** Take edits of the lab's files as they come; otherwise only `apply` does. */
  readonly watch: boolean;
  readonly version: string;
  /** Folder of the built pages; undefined: the port serves the API only. */
  readonly pages: string | undefined;
  /** Variables every service inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Master keys of the vault, in place of a file. */
  readonly keys: GivenKeys;
  /** Who logs in to machines where the lab does not say. */
  readonly own: OwnLogin;
  /** Aborts when the machine goes down: the hub is gone within five seconds, whatever still runs. */
  readonly hurry: AbortSignal;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Something people see may have changed. */
  onChange(): void;
}
