import { createHash } from "node:crypto";
import { Fault } from "#base/fault.ts";
import type { LinuxSection } from "./section.ts";

/** The word for all sections of files together: in the program, and in what it is asked. */
export const filesWord = "files";

const placeholder = "@MARK@";

/**
 * `show` is `head`, which goes on behind a file that cannot be read (`tail` does not: a cable that is not plugged in would silence all
 * files behind it), and writes names above files only when there are two.
 *
 * `_now` tells the machine's clock without a process: seconds since its start are read by the shell itself, and `date` is asked at the
 * first tick and every sixth. It is taken over when it differs by more than a second from what the count of seconds says, as a `date`
 * without nanoseconds would make time go back otherwise.
 */
const head = `
  set +eu
  exec 2>/dev/null
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  LANGUAGE=
  export PATH LC_ALL LANGUAGE
  M=${placeholder}
  N='
'
  show(){ head -n 99999 "$@" /dev/null; }
  _w=0
  _v=0
  _n=9
  if timeout -s KILL 1 true; then
  lim(){ timeout -s KILL "$@"; }
  elif timeout -t 1 -s KILL true; then
  lim(){ _l=$1; shift; timeout -t $_l -s KILL "$@"; }
  else
  lim(){ return 125; }
  fi
  _now(){
  _u=0
  read -r _u _r </proc/uptime || _u=0
  _n=$((_n+1))
  [ $_n -lt 6 ] && [ "$_u" != 0 ] && return
  _n=0
  _d=$(date +%s.%N)
  case $_u:$((\${_d%%.*}-\${_w%%.*}-\${_u%%.*}+\${_v%%.*})) in
  0:*) ;;
  *:-1|*:0|*:1) return;;
  esac
  _w=$_d
  _v=$_u
  }
`;

/** Each mark has a line's begin of its own, so that what is said between two is exact to the byte. */
const foot = `
  tick(){
  _q=$1
  shift
  _now
  echo "$N$M tick $_q $_w $_v $_u"
  for _s
  do
  "s_$_s" </dev/null
  echo "$N$M section $_s $?"
  done
  echo "$N$M end $_q"
  }
`;

export interface ProgramText {
  /** SHA-256 in hex. */
  readonly version: string;
  /** Fault `invalid` for a mark that is none. */
  withMark(mark: string): string;
}

export function makeProgram(sections: readonly LinuxSection[]): ProgramText {
  const files = sections.flatMap((section) => ("files" in section ? section.files : []));
  const scripts = sections.flatMap((section) =>
    "script" in section ? [shellFunction(section.name, section.script)] : [],
  );
  if (files.length > 0) scripts.unshift(shellFunction(filesWord, `show ${[...new Set(files)].join(" ")}`));
  const text = [clean(head), ...scripts, clean(foot), ""].join("\n");
  return {
    version: createHash("sha256").update(text).digest("hex"),
    withMark(mark) {
      if (!/^[A-Za-z0-9]{16,64}$/.test(mark)) {
        throw new Fault("invalid", "a mark of the collector's program has 16 to 64 letters and digits");
      }
      return text.replace(placeholder, mark);
    },
  };
}

/** Functions must not be empty. */
function shellFunction(name: string, script: string): string {
  return `s_${name}(){\n${clean(script) || ":"}\n}`;
}

/** Without indentation, empty lines and lines of comment. */
function clean(script: string): string {
  return script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}
