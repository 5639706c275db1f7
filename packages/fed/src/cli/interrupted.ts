/** Why `call.signal` aborted: a signal of the system, or nobody reads the output any more. Thrown alone: Ctrl-C at a prompt. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** `SIGINT`, `SIGTERM`, `SIGHUP`, or in words. */
  readonly what: string;
  readonly exitCode: number;

  constructor(what: string, exitCode: number) {
    super(`interrupted by ${what}`);
    this.what = what;
    this.exitCode = exitCode;
  }
}
