# One instance's companion: runs the command, and writes down how it ended even when no hub lives to see it.
# Usage: sh wrapper.sh FOLDER CGROUP COMMAND [ARGUMENT]…   (CGROUP: a cgroup.procs file to join, or "")
# Started as leader of its own session. Uses builtins only, so that it needs no PATH. Everything is inside a function:
# the shell has read it to the end before it begins, and a newer file on disk cannot confuse a running one.
main() {
  # The group is asked to end as a whole; this shell stays to write. A caught signal (unlike an ignored one) has its
  # default meaning again in the command.
  trap : HUP INT QUIT USR1 USR2 ALRM TERM
  # Long names: what the command's environment brings along must not be overwritten.
  fed_wrapper_folder=$1 fed_wrapper_cgroup=$2
  shift 2
  read -r fed_wrapper_stat <"/proc/$$/stat" && printf '%s\n' "$fed_wrapper_stat" >"$fed_wrapper_folder/pid"
  if [ -n "$fed_wrapper_cgroup" ] && ! echo "$$" >"$fed_wrapper_cgroup"; then
    echo "fed: cannot put the instance under its limits ($fed_wrapper_cgroup)" >&2
    printf '125\n' >"$fed_wrapper_folder/exit"
    exit 125
  fi
  # The shell's own remarks ("Killed") go nowhere; the command has the real stderr.
  exec 3>&2 2>/dev/null
  (exec "$@" 2>&3 3>&-)
  fed_wrapper_status=$?
  # One short write; a reader takes it only when it ends in a newline, so it sees all of it or nothing.
  printf '%s\n' "$fed_wrapper_status" >"$fed_wrapper_folder/exit"
  # Whoever is left of the group is asked to end as well.
  kill -TERM 0
  exit "$fed_wrapper_status"
}
main "$@"
