umask 077
say() { printf 'fed: %s\n' "$*" >&2; }
fail() {
  say "$@"
  exit 1
}

# Shows the token, as text that only this process and curl see.
claim() {
  printf 'url = "%s/join/%s"\n' "$url" "$token" |
    curl -q -sS -K - -X POST -H 'content-type: application/json' -d '{}' --connect-timeout 10 --max-time 60
}

keep_running() {
  if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && [ -z "${FED_AGENT_DIR:-}" ]; then
    cat > /etc/systemd/system/fed-agent.service << EOF
[Unit]
Description=Reports this machine to fed
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/bin/sh $folder/run.sh
Restart=on-failure
RestartSec=5
Nice=5
OOMScoreAdjust=200

[Install]
WantedBy=multi-user.target
EOF
    systemctl daemon-reload && systemctl enable -q fed-agent.service && systemctl restart fed-agent.service && return
    rm -f /etc/systemd/system/fed-agent.service
  fi
  if command -v crontab > /dev/null && [ -z "${FED_AGENT_DIR:-}" ]; then
    { crontab -l 2> /dev/null | grep -vF "$folder/run.sh"; echo "@reboot /bin/sh '$folder/run.sh'"; } | crontab - ||
      say "It will not start by itself after a reboot: crontab refuses."
  else
    say "It will not start by itself after a reboot: there is neither systemd nor cron, or you chose its folder. Start it then with: sh '$folder/run.sh' &"
  fi
  setsid sh "$folder/run.sh" > /dev/null 2>&1 < /dev/null &
}

stop_before() {
  [ -f "$folder/pid" ] || return 0
  before=
  read -r before < "$folder/pid"
  case $before in '' | *[!0-9]*) return 0 ;; esac
  # It may be anybody's number by now.
  grep -qF run.sh "/proc/$before/cmdline" 2> /dev/null || return 0
  kill "$before" 2> /dev/null
  for _ in 1 2 3 4 5; do
    kill -0 "$before" 2> /dev/null || return 0
    sleep 1
  done
}

join() {
  [ "$(uname -s)" = Linux ] || fail "Only machines with Linux can report to fed."
  for tool in curl setsid mkfifo; do
    command -v "$tool" > /dev/null || fail "This machine has no $tool. Install it, and run the same line again."
  done
  [ -r /proc/uptime ] || fail "There is no /proc here, so there is nothing to report."
  if [ "$(id -u)" = 0 ]; then folder=/var/lib/fed-agent; else folder=${HOME:-/nowhere}/.fed-agent; fi
  folder=${FED_AGENT_DIR:-$folder}
  case $folder in /*) ;; *) fail "The folder $folder is no whole path. Set FED_AGENT_DIR to one that begins with /." ;; esac
  # By its own name and not that of a link: what is undone is looked for under it.
  mkdir -p "$folder" && folder=$(cd "$folder" && pwd -P) || fail "The folder $folder cannot be made."
  case $folder in *[!A-Za-z0-9/._-]*) fail "The folder $folder has letters that are not safe here. Set FED_AGENT_DIR to another." ;; esac
  # Whoever leaves removes all of it.
  grep -qs 'Bearer fedm_' "$folder/credential" || [ -z "$(ls -A "$folder")" ] ||
    fail "There is something in the folder $folder that is not fed's. Set FED_AGENT_DIR to one that is empty, or not there yet."
  chmod 700 "$folder" || fail "The folder $folder cannot be closed to others."
  credential=$(claim) || fail "The hub at $url does not answer."
  case $credential in
    fedm_*) ;;
    *'"detail":"'*)
      credential=${credential#*'"detail":"'}
      fail "The hub refuses: ${credential%%'"'*}"
      ;;
    *) fail "The hub at $url answers what is none of its answers. Is something between?" ;;
  esac
  stop_before
  cd "$folder" || fail "The folder $folder cannot be used."
  rm -rf spool live "/run/fed-agent$(echo "$folder" | tr / -)" trial refused agent.old joined fault long
  printf 'header = "Authorization: Bearer %s"\n' "$credential" > credential
  printf '%s\n' "$url" > hub
  launcher > run.sh
  curl -q -fsS -K credential --connect-timeout 10 --max-time 60 -o agent.sh "$url/agent/script" && sh -n agent.sh ||
    fail "What is to run here could not be fetched. The token is used up: make another with fed machine join $machine"
  keep_running
  waited=0
  while [ "$waited" -lt 30 ]; do
    if [ -f joined ]; then
      say "$machine reports to $url now. To undo this: fed machine remove $machine"
      exit 0
    fi
    sleep 1
    waited=$((waited + 1))
  done
  fail "$machine has started, but the hub has not had anything from it yet. What curl says: $(cat curl.err 2> /dev/null)"
}
