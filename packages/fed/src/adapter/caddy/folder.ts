import { Fault } from "#base/fault.ts";
import type { Shell } from "#port/shell.ts";
import type { BoardFile } from "./board.ts";
import { limit } from "./limit.ts";

/** The switchboard's folder on Caddy's machine. */
export interface BoardFolder {
  /**
   * What is in it, and where it is. Makes it when it is not there. Fault `denied` when it cannot be made or belongs to somebody else.
   */
  read(signal: AbortSignal): Promise<{ readonly path: string; readonly files: readonly BoardFile[] }>;
  /** Writes these, one after the other, each in place at once, and then takes those away. Only after `read`. */
  write(put: readonly BoardFile[], drop: readonly string[], signal: AbortSignal): Promise<void>;
}

/**
 * In memory, and where also a Caddy that has a /tmp of its own sees it: it need not outlive what runs on the machine. Its name tells two
 * Caddys of one machine apart.
 */
const readScript = `
umask 022
folder=$1
if [ -z "$folder" ]; then
  folder=/run/$2
  [ -d /run ] && [ -w /run ] || folder=/dev/shm/$2-$(id -u)
fi
mkdir -p -- "$folder" && [ -O "$folder" ] && [ ! -L "$folder" ] && cd -- "$folder" || exit 1
printf '%s\\n' "$folder"
for file in */*; do
  [ -f "$file" ] || continue
  text=
  IFS= read -r text <"$file"
  printf '%s\\t%s\\n' "$file" "$text"
done
exit 0`;

const writeScript = `
umask 022
cd -- "$1" || exit 1
tab=$(printf '\\t')
while IFS="$tab" read -r deed path text; do
  case $deed in
    put)
      [ -d "\${path%/*}" ] || mkdir -- "\${path%/*}" || exit 1
      printf '%s\\n' "$text" >.new && mv -f -- .new "$path" || exit 1 ;;
    drop) rm -f -- "$path" ;;
    end) rmdir -- "$path" 2>/dev/null ;;
  esac
done
exit 0`;

/** What the folder of this Caddy, whose admin API is there, is called when nobody says where it is to be. */
export function boardFolderName(admin: string): string {
  return `fed-caddy-${admin
    .replace(/^https?:/, "")
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^-|-$/g, "")}`;
}

export function openBoardFolder(shell: Shell, admin: string, wanted: string | undefined): BoardFolder {
  let path = wanted ?? "";
  const run = async (script: string, input: string, signal: AbortSignal): Promise<string> => {
    const outcome = await shell.run(
      { argv: ["sh", "-c", script, "sh", path, boardFolderName(admin)] },
      { timeoutMs: limit.commandMs, outputBytes: limit.switchboardSizeBytes, input },
      signal,
    );
    if (outcome.kind === "exited" && outcome.code === 0 && !outcome.cut) return outcome.stdout;
    const why = outcome.kind === "timeout" ? "it took too long" : outcome.stderr.trim() || "it is somebody else's";
    throw new Fault("denied", `Caddy's switchboard ${path} cannot be kept (${shell.name}): ${why}`, {
      hint: "It has to be a folder that fed's user may write there and Caddy may read.",
    });
  };
  return {
    async read(signal) {
      const [found = "", ...lines] = (await run(readScript, "", signal)).split("\n");
      path = found;
      const files = lines.flatMap((line) => {
        const tab = line.indexOf("\t");
        return tab === -1 ? [] : [{ path: line.slice(0, tab), text: line.slice(tab + 1) }];
      });
      return { path, files };
    },
    async write(put, drop, signal) {
      const folders = [...new Set(drop.map((file) => file.split("/")[0] ?? ""))];
      const lines = [
        ...put.map((file) => `put\t${file.path}\t${file.text}\n`),
        ...drop.map((file) => `drop\t${file}\t\n`),
        ...folders.map((folder) => `end\t${folder}\t\n`),
      ];
      if (lines.length > 0) await run(writeScript, lines.join(""), signal);
    },
  };
}
