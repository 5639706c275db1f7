import type { TerminalEnv } from "./env.ts";
import { openScreen, type Screen, type Sink } from "./print.ts";

/** A screen for tests that keeps what is written. */
export interface RecordedScreen {
  readonly screen: Screen;
  out(): string;
  err(): string;
}

export interface ScreenOptions {
  readonly json?: boolean;
  /** Both streams are a terminal of this size. */
  readonly size?: { readonly columns: number; readonly rows: number };
  readonly terminal?: Partial<TerminalEnv>;
}

export function recordScreen(options: ScreenOptions = {}): RecordedScreen {
  const written = { out: "", err: "" };
  const sink = (stream: "out" | "err"): Sink => ({
    write(text) {
      written[stream] += text;
    },
    isTTY: options.size !== undefined,
    ...options.size,
  });
  const terminal: TerminalEnv = { color: "auto", dumb: false, columns: undefined, ...options.terminal };
  const screen = openScreen(sink("out"), sink("err"), terminal, options.json === true);
  return { screen, out: () => written.out, err: () => written.err };
}
