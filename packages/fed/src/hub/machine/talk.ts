import { isFault, toFault } from "#base/fault.ts";
import type { Collector, RawTick } from "#port/collector.ts";
import type { CommandStream, Shell, StreamEnd } from "#port/shell.ts";
import { plain } from "./problem.ts";

/** Our program on a machine, in a channel that is kept open. */
export interface Talk {
  ask(sequence: number, sections: readonly string[]): void;
  /** Ends it on the machine. Nothing is heard of it after that. */
  close(): Promise<void>;
}

export interface TalkNeeds {
  readonly shell: Shell;
  readonly collector: Collector;
  /** Letters and digits that nobody on the machine knows. */
  readonly mark: string;
  heard(tick: RawTick): void;
  /** It has ended, `why` in plain words. `broken`: by saying what our program cannot say. */
  ended(why: string, broken: boolean): void;
}

/** Resolves when the program runs; ticks are asked for and heard from then on. Faults of the shell. */
export async function openTalk(needs: TalkNeeds, signal: AbortSignal): Promise<Talk> {
  const { shell, collector, mark } = needs;
  const stream = await shell.stream({ argv: ["sh"] }, signal);
  const reader = collector.openTicks(mark);
  let open = true;
  const end = (why: string, broken: boolean) => {
    if (!open) return;
    open = false;
    needs.ended(why, broken);
  };
  stream.io.on("data", (bytes: Uint8Array) => {
    if (!open) return;
    try {
      for (const tick of reader.push(bytes)) if (open) needs.heard(tick);
    } catch (thrown) {
      const why = isFault(thrown) ? thrown.message : `its answer could not be read: ${toFault(thrown).message}`;
      end(why, true);
      void stream.kill();
    }
  });
  // How it ended is told by `ended`.
  stream.io.on("error", () => {});
  void stream.ended.then((how) => end(wordsOfEnd(how, stream), false));
  stream.io.write(collector.program(mark));
  return {
    ask(sequence, sections) {
      if (open && stream.io.writable) stream.io.write(collector.ask(sequence, sections));
    },
    close() {
      open = false;
      return stream.kill();
    },
  };
}

function wordsOfEnd(how: StreamEnd, stream: CommandStream): string {
  const said = plain(stream.stderr(), 200);
  const more = said === "" ? "" : `: ${said}`;
  if (how.kind === "lost") return how.reason;
  if (how.kind === "killed") return `its sh was ended by ${how.signal}${more}`;
  return `its sh ended with ${how.code}${more}`;
}
