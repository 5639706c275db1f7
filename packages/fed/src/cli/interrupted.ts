/** Why `call.signal` aborted: a signal of the system, or nobody reads the output any more. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(what: string, exitCode: number) {
    super(`interrupted by ${what}`);
    this.exitCode = exitCode;
  }
}
