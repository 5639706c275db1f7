/** What every adapter of port `shell` must do alike: what can be asked, how much is kept. */
import { Fault } from "#base/fault.ts";
import type { ShellCommand } from "./shell.ts";

/** Of stdout and of stderr each, when the caller says nothing else. */
export const outputBytes = 1024 * 1024;

/** Of a stream's stderr. */
export const stderrBytes = 64 * 1024;

/** How long a command may take to end after it was asked to, before it is killed. */
export const endingMs = 1_000;

/** Fault `invalid` for what no machine can run. */
export function checkCommand({ argv, environment = {} }: ShellCommand): void {
  if (argv[0] === undefined || argv[0] === "") {
    throw new Fault("invalid", "the command is empty", { hint: 'Write it as a list of words: ["uptime", "-p"].' });
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new Fault("invalid", `no variable can be called ${JSON.stringify(name)}`);
    if (value.includes("\0")) throw new Fault("invalid", `the variable ${name} contains NUL`);
  }
  if (argv.some((word) => word.includes("\0"))) {
    throw new Fault("invalid", "a word of the command contains NUL, which no command line can hold");
  }
}

/** Takes bytes and keeps the first of them. */
export interface Capture {
  add(bytes: Uint8Array): void;
  readonly cut: boolean;
  text(): string;
}

export function makeCapture(limitBytes: number): Capture {
  const kept: Uint8Array[] = [];
  let size = 0;
  let cut = false;
  return {
    add(bytes) {
      const room = limitBytes - size;
      if (bytes.length > room) cut = true;
      if (room <= 0 || bytes.length === 0) return;
      const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
      size += part.length;
      kept.push(part);
    },
    get cut() {
      return cut;
    },
    // Where it was cut half a letter may stand: it is left out.
    text: () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(joined(kept, size), { stream: cut }),
  };
}

/** Takes bytes and keeps the last of them. */
export function makeTail(limitBytes: number): { add(bytes: Uint8Array): void; text(): string } {
  let kept: Uint8Array[] = [];
  let size = 0;
  return {
    add(bytes) {
      kept.push(bytes);
      size += bytes.length;
      // Joined now and then, not at every byte.
      if (size > 2 * limitBytes) {
        kept = [joined(kept, size).slice(-limitBytes)];
        size = limitBytes;
      }
    },
    text: () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(joined(kept, size).subarray(-limitBytes)),
  };
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
