/** The texts that a machine's `sh` reads. They need a POSIX shell, `/proc` to end what a command started, and no more. */
import { randomBytes } from "node:crypto";
import { quoteWord, quoteWords } from "#port/quote.ts";
import type { ShellCommand } from "#port/shell.ts";

/** A word that no command of the machine knows. */
export function makeMark(): string {
  return randomBytes(12).toString("hex");
}

/** Becomes the command `"$@"`, by way of `$s` if that is set; only programs are run, nothing of the shell's own. */
const become = `fed_x() {
case $1 in
*/*) [ -e "$1" ] || { echo "$1: command not found" >&2; exit 127; }
[ -x "$1" ] && [ ! -d "$1" ] || { echo "$1: may not be run" >&2; exit 126; } ;;
*) command -v -- "$1" >/dev/null 2>&1 || { echo "$1: command not found" >&2; exit 127; } ;;
esac
exec $fed_s "$@"
}
`;

/**
 * What a kept-open shell knows. `fed_r MARK PID ENVIRONMENT ARGV…` runs a command in a session of its own and says its process id before,
 * its exit code after it. It says "left" instead, and runs nothing, when something of the command before it, PID, still runs: that
 * writes to where this one would. What the shell itself has to say (bash tells who was killed) is dropped.
 */
export function laneProgram(mark: string): string {
  return `${become}fed_s=
command -v setsid >/dev/null 2>&1 && fed_s=setsid
fed_r() {
fed_m=$1 fed_k=$2 fed_e=$3
shift 3
if [ -n "$fed_k" ] && kill -0 "-$fed_k"; then echo "$fed_m left"; echo "$fed_m" >&3; return; fi
(
fed_p=
read -r fed_p fed_q </proc/self/stat
[ "$fed_p" = $$ ] && fed_p=
[ -n "$fed_s" ] || fed_p=
echo "$fed_m run $fed_p"
eval "$fed_e"
fed_x "$@"
) </dev/null 2>&3 3>&-
echo "$fed_m end $?"
echo "$fed_m" >&3
}
exec 3>&2 2>/dev/null
echo "${mark} ready $$"
echo ${mark} >&3
`;
}

/** A line for a kept-open shell. */
export function laneLine(mark: string, left: string, { argv, environment = {} }: ShellCommand): string {
  return `fed_r ${mark} ${quoteWord(left)} ${quoteWord(exportsOf(environment))} ${quoteWords(argv)}\n`;
}

/**
 * For a channel's own shell, which becomes the command. Where the shell does not lead a session (not every server makes one), the
 * command does. After the line nothing may be sent until its mark has come: a shell may read ahead.
 */
export function streamProgram(mark: string, { argv, environment = {} }: ShellCommand): string {
  return `${become}fed_s=
read -r fed_l </proc/$$/stat
fed_l=\${fed_l##*) }
set -- $fed_l
[ "$3" = $$ ] || { command -v setsid >/dev/null 2>&1 && fed_s=setsid; }
echo "${mark} run $$"
echo ${mark} >&2
${exportsOf(environment)}
fed_x ${quoteWords(argv)}
`;
}

function exportsOf(environment: Readonly<Record<string, string>>): string {
  const words = Object.entries(environment).map(([name, value]) => `${name}=${quoteWord(value)}`);
  return words.length === 0 ? "" : `export ${words.join(" ")}`;
}

/**
 * Ends the process $1 ("only": not itself), its group, its session and whoever descends from these: SIGTERM, and SIGKILL for who does
 * not obey within a second. Exit code 0 when they are gone.
 */
const endText = `r=$1 o=$2
look() {
a=
for f in /proc/[0-9]*/stat; do
l=
{ while IFS= read -r t; do l=$t; done; } <"$f" || continue
p=\${f#/proc/} p=\${p%/stat} l=\${l##*) }
set -- $l
case $1 in [ZX] | "") ;; *) a="$a $p:$2:$3:$4" ;; esac
done
n=1
while [ "$n" = 1 ]; do
n=
for t in $a; do
p=\${t%%:*}
case $w in *" $p "*) continue ;; esac
g=\${t#*:}
q=\${g%%:*} g=\${g#*:}
case $w in *" $q "* | *" \${g%:*} "* | *" \${g#*:} "*) w="$w$p " n=1 ;; esac
done
done
v=
for t in $a; do
p=\${t%%:*}
[ -n "$o" ] && [ "$p" = "$r" ] && continue
case $w in *" $p "*) v="$v $p" ;; esac
done
}
w=" $r "
look
for n in TERM KILL; do
[ -n "$v" ] && kill -$n $v
i=0
while [ -n "$v" ] && [ $i -lt 20 ]; do
sleep 0.05 || { sleep 1; i=19; }
i=$((i + 1))
look
done
done 2>/dev/null
[ -z "$v" ]`;

export function endCommand(pid: string, only: boolean): ShellCommand {
  return { argv: ["sh", "-c", endText, "sh", pid, only ? "only" : ""] };
}

/**
 * Takes a file on stdin and keeps it beside its place ($1, with mode $2), says "done" when it is all there, and waits until somebody
 * has moved it; if nobody does, it was not meant to be.
 */
export const receiveText = `umask 077
trap '' PIPE
set -C
exec 3>"$1"
set +C
chmod "$2" "$1" && cat >&3 || { rm -f -- "$1"; exit 1; }
exec 3>&-
echo done
i=0
while [ -e "$1" ] && [ $i -lt 60 ]; do sleep 1; i=$((i + 1)); done
rm -f -- "$1"`;

/** Puts $1 in the place $2 if it has $3 bytes, else away. */
export const placeText = `if [ -d "$2" ]; then rm -f -- "$1"; exit 21; fi
if [ "$(wc -c <"$1")" -ne "$3" ]; then rm -f -- "$1"; exit 22; fi
mv -f -- "$1" "$2" || { rm -f -- "$1"; exit 1; }`;
