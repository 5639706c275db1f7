# A tick at each interval goes into the folder `spool` and from there, in order, into one upload that stays open. A tick is kept until
# the hub says that it has it. Runs on dash, bash and busybox; ends with 64 when it has uninstalled itself, with 75 for the next version,
# with 76 when the hub takes nothing of this one.
umask 077
launcher=$1
main=$$
read -r url < hub || exit 1
limit_kib=65536
[ -d spool ] || mkdir spool
[ -p wake ] || mkfifo wake
# Opened for both, so that neither side waits for the other.
exec 4<> wake

number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "${#1}" -le 15 ]
}

# The number in a file; 0 when there is none.
kept() {
  kept=
  [ ! -f "$1" ] || read -r kept < "$1"
  number "$kept" || kept=0
}

# Since the machine was started: nobody sets this clock.
look_at_clock() {
  read -r up _ < /proc/uptime
  now=${up%.*}
  hundredths=$((now * 100 + 1${up#*.} - 100))
}

# ---- the upload

# Sends what is in the spool beyond $1, then each tick when it is there, until connection $2 has ended.
feed() {
  sent=$1
  while :; do
    kept sequence
    set --
    for file in spool/1*; do
      number "${file#spool/}" || continue
      n=$((${file#spool/} - 1000000000))
      if [ "$n" -le "$sent" ] || [ "$n" -gt "$kept" ]; then continue; fi
      set -- "$@" "$file"
      sent=$n
      if [ "$#" -ge 50 ]; then
        cat "$@" 2> /dev/null || return
        set --
      fi
    done
    if [ "$#" -gt 0 ]; then cat "$@" 2> /dev/null || return; fi
    read -r word value <&4 || return
    if [ "$word" = stop ] && [ "$value" = "$connection" ]; then return; fi
  done
}

# Reads what the hub answers.
hear() {
  while read -r word value more; do
    case $word in
      ack)
        if number "$value"; then
          echo "$value" > acked
          if [ -f trial ]; then rm -f trial agent.old; fi
        fi
        ;;
      rate)
        if number "$value"; then
          echo "$value" > rate
          if number "$more"; then echo "$more" > base; fi
          kill -s USR1 "$main"
        fi
        ;;
      hello) echo "$value" > heard ;;
      update | uninstall)
        echo "$word $value" > order
        kill -s USR1 "$main"
        ;;
      fault) echo "$value $more" > fault ;;
    esac
  done
  echo "stop $connection" >&4
}

link() {
  connection=0
  pause=1
  while :; do
    connection=$((connection + 1))
    kept sequence
    last=$kept
    kept dropped
    dropped=$kept
    refused=
    [ ! -f refused ] || read -r refused < refused
    kept acked
    rm -f heard
    : > open
    query="now=$(date +%s)&last=$last&dropped=$dropped&version=$version&refused=$refused"
    feed "$kept" | sh -c 'echo "$$" > uploading; exec "$@"' sh \
      curl -q -sS -N -K credential -X POST -H 'Expect:' --connect-timeout 10 -T - "$url/agent/report?$query" 2> curl.err | hear
    rm -f open uploading
    # Nobody watches who cannot be seen.
    kept base
    echo "$kept" > rate
    if [ -s heard ]; then
      pause=1
      [ "$dropped" = 0 ] || echo 0 > dropped
    fi
    sleep "$pause"
    [ "$pause" -ge 60 ] || pause=$((pause * 2))
  done
}

# A connection that is dead does not always say so.
break_off() {
  if [ -f uploading ]; then
    read -r pid < uploading
    if number "$pid"; then kill "$pid" 2> /dev/null; fi
  fi
}

# ---- the ticks

make_room() {
  used=$(du -sk spool 2> /dev/null)
  used=${used%%[!0-9]*}
  number "$used" || return
  [ "$used" -gt "$limit_kib" ] || [ "$#" -gt 8640 ] || return
  drop=$(($# / 8 + 1))
  kept dropped
  echo "$((kept + drop))" > dropped
  while [ "$drop" -gt 0 ]; do
    rm -f "$1"
    shift
    drop=$((drop - 1))
  done
}

# Forgets what the hub has, and the oldest of what is too much.
tidy() {
  kept acked
  # One that began anew goes on where the hub is.
  [ "$kept" -le "$sequence" ] || sequence=$kept
  set --
  for file in spool/1*; do
    number "${file#spool/}" || continue
    if [ "$((${file#spool/} - 1000000000))" -gt "$kept" ] || [ "$#" -ge 500 ]; then break; fi
    set -- "$@" "$file"
  done
  [ "$#" -eq 0 ] || rm -f "$@"
  if [ "$((sequence % 30))" = 0 ]; then make_room spool/1*; fi
}

tick() {
  sequence=$((sequence + 1))
  due
  # shellcheck disable=SC2086
  $patience sh ./program.sh > "spool/$((1000000000 + sequence))" 2> /dev/null << EOF
tick $sequence$sections
EOF
  echo "$sequence" > sequence
  if [ -f open ]; then echo "tick $sequence" >&4; fi
}

obey() {
  [ -f order ] || return
  word= value=
  read -r word value < order
  rm -f order
  case $word in
    uninstall) uninstall ;;
    update) update "$value" ;;
  esac
}

update() {
  refused=
  [ ! -f refused ] || read -r refused < refused
  if [ -f trial ] || [ "$1" = "$refused" ] || [ "$1" = "$version" ]; then return; fi
  curl -q -fsS -K credential --connect-timeout 10 --max-time 60 -o agent.new "$url/agent/script" 2> curl.err || return
  sh -n agent.new 2> /dev/null && [ "$(tail -n 1 agent.new)" = "# end $1" ] || return
  cp agent.sh agent.old && echo "0 $1" > trial && mv -f agent.new agent.sh && leave 75
}

uninstall() {
  curl -q -fsS -K credential -X POST --connect-timeout 10 --max-time 30 "$url/agent/gone" > /dev/null 2>&1 || return
  folder=$(pwd -P)
  if command -v crontab > /dev/null && crontab -l 2> /dev/null | grep -qF "$folder/run.sh"; then
    crontab -l 2> /dev/null | grep -vF "$folder/run.sh" | crontab -
  fi
  unit=/etc/systemd/system/fed-agent.service
  if [ -f "$unit" ] && grep -qF "$folder/run.sh" "$unit"; then
    systemctl disable fed-agent.service > /dev/null 2>&1
    rm -f "$unit"
    systemctl daemon-reload > /dev/null 2>&1
  fi
  cd / && rm -rf "$folder"
  leave 64
}

leave() {
  trap '' TERM USR1
  break_off
  kill "$link" 2> /dev/null
  exit "$1"
}

nap() {
  if [ -n "$fine" ]; then
    sleep "$(($1 / 100)).$(($1 / 10 % 10))" 4>&- &
  else
    sleep "$((($1 + 50) / 100))" 4>&- &
  fi
  napping=$!
  wait "$napping"
  kill "$napping" 2> /dev/null
}

# What the hub takes nothing of is no good; one that cannot be reached says nothing.
watch_link() {
  kept acked
  if [ "$kept" != "$progress" ] || [ ! -f open ]; then
    progress=$kept
    progress_at=$now
  elif [ "$((now - progress_at))" -gt "$((60 + 3 * rate))" ]; then
    if [ -f trial ] && [ -s heard ]; then leave 76; fi
    progress_at=$now
    break_off
  fi
}

trap 'leave 0' TERM
trap : USR1
trap '' PIPE HUP
program > program.sh
kept sequence
sequence=$kept
kept base
[ "$kept" -gt 0 ] || kept=10
echo "$kept" > base
echo "$kept" > rate
rm -f open uploading order heard
[ -f acked ] || echo 0 > acked
for file in spool/1*; do
  if number "${file#spool/}" && [ "$((${file#spool/} - 1000000000))" -gt "$sequence" ]; then rm -f "$file"; fi
done
# A section that hangs must not hold up all that follow.
patience=
if timeout -k 1 5 true 2> /dev/null; then patience='timeout -k 5 90'; fi
fine=
if sleep 0.01 2> /dev/null; then fine=1; fi
look_at_clock
begin_due
progress= progress_at=$now rate=10
next=$hundredths
link &
link=$!
while kill -0 "$launcher" 2> /dev/null; do
  obey
  kept rate
  [ "$kept" -gt 0 ] || kept=10
  if [ "$kept" != "$rate" ]; then
    [ "$((hundredths + kept * 100))" -ge "$next" ] || next=$((hundredths + kept * 100))
    rate=$kept
  fi
  look_at_clock
  if [ "$hundredths" -ge "$next" ]; then
    tick
    tidy
    watch_link
    next=$((next + rate * 100))
    look_at_clock
    [ "$next" -gt "$hundredths" ] || next=$hundredths
  fi
  if [ "$next" -gt "$hundredths" ]; then nap "$((next - hundredths))"; fi
done
leave 0
