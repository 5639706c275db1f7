# A tick at each interval goes into the folder `spool` and from there, in order, into one upload that stays open. A tick is kept until
# the hub says that it has it: in memory where root may, and on the disk when many wait. Runs on dash, bash and busybox; ends with 64 when
# it has uninstalled itself, with 75 for the next version or to begin anew, with 76 when the hub takes nothing of this one.
umask 077
launcher=$1
main=$$
home=$(pwd -P)
read -r url < hub || exit 1
most_kib=65536
most_ticks=8640
[ -d spool ] || mkdir spool
live=/run/fed-agent$(echo "$home" | tr / -)
if [ "$(id -u)" != 0 ] || ! mkdir -p "$live"; then live=$home/live; fi
mkdir -p "$live/spool" && cd "$live" || exit 1
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

# Sends what is kept beyond $1, then each tick when it is there, until the connection has ended.
feed() {
  sent=$1
  while :; do
    kept sequence
    # Looked at before the other folder: what is moved meanwhile is in one of them.
    set -- spool/[0-9]*
    for file in "$home"/spool/[0-9]* "$@"; do
      n=${file##*/}
      number "$n" || continue
      if [ "$n" -le "$sent" ] || [ "$n" -gt "$kept" ]; then continue; fi
      cat "$file" || return
      sent=$n
    done
    read -r word value <&4 || return
    if [ "$word" = stop ] && [ "$value" = "$connection" ]; then return; fi
  done
}

# What comes after this tick cannot be read: a machine that lost its power may have written half of it.
drop_after() {
  kept sequence
  for file in "$home"/spool/[0-9]* spool/[0-9]*; do
    n=${file##*/}
    if number "$n" && [ "$n" -gt "$1" ] && [ "$n" -le "$kept" ]; then
      rm -f "$file"
      break
    fi
  done
  break_off
}

# Reads what the hub answers.
hear() {
  while read -r word value more; do
    case $word in
      hello) echo "$value" > heard ;;
      ack)
        number "$value" || continue
        echo "$value" > acked
        [ "$value" = 0 ] || [ -f "$home/joined" ] || echo "$value" > "$home/joined"
        # The first ones are of before.
        if [ -f "$home/trial" ] && [ "$value" -gt "$last" ]; then rm -f "$home/trial" "$home/agent.old"; fi
        ;;
      rate)
        number "$value" || continue
        echo "$value" > rate
        if number "$more"; then echo "$more" > base; fi
        kill -s USR1 "$main"
        ;;
      update | uninstall | anew)
        echo "$word $value" > order
        kill -s USR1 "$main"
        ;;
      skip) ! number "$value" || drop_after "$value" ;;
      fault) echo "$value $more" > "$home/fault" ;;
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
    [ ! -f "$home/refused" ] || read -r refused < "$home/refused"
    kept acked
    rm -f heard
    : > open
    query="now=$(date +%s)&last=$last&dropped=$dropped&version=$version&refused=$refused"
    feed "$kept" | sh -c 'echo "$$" > uploading; exec "$@"' sh curl -q -sS -N -K "$home/credential" -X POST -H 'Expect:' \
      --connect-timeout 10 -T - "$url/agent/report?$query" 2> "$home/curl.err" | hear
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
  [ -f uploading ] || return
  pid=
  read -r pid < uploading
  ! number "$pid" || kill "$pid"
}

# ---- the ticks

# Of what waits on the disk the oldest goes when it is too much.
make_room() {
  used=$(du -sk "$home/spool")
  used=${used%%[!0-9]*}
  number "$used" || return
  [ "$used" -gt "$most_kib" ] || [ "$#" -gt "$most_ticks" ] || return
  drop=$(($# / 8 + 1))
  kept dropped
  echo "$((kept + drop))" > dropped
  while [ "$drop" -gt 0 ]; do
    rm -f "$1"
    shift
    drop=$((drop - 1))
  done
}

# Forgets what the hub has; what waits for long goes to the disk.
tidy() {
  kept acked
  # One whose clock was wrong goes on where the hub is.
  if [ "$kept" -gt "$sequence" ]; then sequence=$kept; fi
  set --
  for file in "$home"/spool/[0-9]* spool/[0-9]*; do
    n=${file##*/}
    number "$n" || continue
    if [ "$n" -gt "$kept" ] || [ "$#" -ge 500 ]; then break; fi
    set -- "$@" "$file"
  done
  [ "$#" -eq 0 ] || rm -f "$@"
  [ ! -f open ] || return
  set -- spool/[0-9]*
  [ "$#" -ge 60 ] || return
  mv "$@" "$home/spool/"
  make_room "$home"/spool/[0-9]*
}

take_tick() {
  sequence=$((sequence + 1))
  due
  # shellcheck disable=SC2086
  tick "$sequence" $sections > "spool/$sequence" 4>&-
  # A section may have gone elsewhere.
  cd "$live" || exit 1
  echo "$sequence" > sequence
  : > "$home/alive"
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
    anew) leave 75 ;;
  esac
}

update() {
  refused=
  [ ! -f "$home/refused" ] || read -r refused < "$home/refused"
  if [ -f "$home/trial" ] || [ "$1" = "$refused" ] || [ "$1" = "$version" ]; then return; fi
  cd "$home" || return
  if curl -q -fsS -K credential --connect-timeout 10 --max-time 60 -o agent.new "$url/agent/script" && sh -n agent.new &&
    [ "$(tail -n 1 agent.new)" = "# end $1" ] && cp agent.sh agent.old && echo "0 $1" > trial && mv -f agent.new agent.sh; then
    cd "$live" || exit 1
    leave 75
  fi
  cd "$live" || exit 1
}

uninstall() {
  curl -q -fsS -K "$home/credential" -X POST --connect-timeout 10 --max-time 30 "$url/agent/gone" > /dev/null || return
  if command -v crontab > /dev/null && crontab -l | grep -qF "$home/run.sh"; then
    crontab -l | grep -vF "$home/run.sh" | crontab -
  fi
  unit=/etc/systemd/system/fed-agent.service
  if [ -f "$unit" ] && grep -qF "$home/run.sh" "$unit"; then
    systemctl disable fed-agent.service > /dev/null
    rm -f "$unit"
    systemctl daemon-reload
  fi
  end_others
  cd / || exit 1
  # What was about to write there may have written once more.
  rm -rf "$live" "$home" || { sleep 1; rm -rf "$live" "$home"; }
  leave 64
}

# The launcher has given this process a group of its own.
end_others() {
  trap '' TERM USR1
  kill -s TERM 0
}

leave() {
  end_others
  kill -s USR1 "$launcher"
  exit "$1"
}

nap() {
  if [ -n "$fine" ]; then
    sleep "$(($1 / 100)).$(($1 / 10 % 10))" 4>&- &
  else
    sleep "$((($1 + 50) / 100))" 4>&- &
  fi
  napping=$!
  [ -n "$nudged" ] || wait "$napping"
  kill "$napping"
}

# Takes over what the hub has said of the pace.
set_pace() {
  kept rate
  [ "$kept" -gt 0 ] || kept=10
  [ "$kept" != "$rate" ] || return
  rate=$kept
  [ "$((hundredths + rate * 100))" -ge "$next" ] || next=$((hundredths + rate * 100))
  echo "$((45 + rate / 6))" > "$home/long"
}

# What the hub takes nothing of is no good; one that cannot be reached says nothing.
watch_link() {
  kept acked
  if [ "$kept" != "$progress" ] || [ ! -f open ]; then
    progress=$kept
    progress_at=$now
  elif [ "$((now - progress_at))" -gt "$((60 + 3 * rate))" ]; then
    if [ -f "$home/trial" ] && [ -s heard ]; then leave 76; fi
    progress_at=$now
    break_off
  fi
}

trap 'leave 0' TERM
nudged=
trap nudged=1 USR1
trap '' PIPE HUP
kept sequence
for file in spool/[0-9]*; do
  n=${file##*/}
  if number "$n" && [ "$n" -gt "$kept" ]; then rm -f "$file"; fi
done
sequence=$kept
for file in "$home"/spool/[0-9]*; do
  n=${file##*/}
  if number "$n" && [ "$n" -gt "$sequence" ]; then sequence=$n; fi
done
# Ticks are counted on from the time, so that they go on where they were after a reboot that has lost the count.
n=$(date +%s)
if number "$n" && [ "$n" -gt "$sequence" ]; then sequence=$n; fi
[ "$sequence" -ge 1000000000 ] || sequence=1000000000
echo "$sequence" > sequence
kept base
[ "$kept" -gt 0 ] || kept=10
echo "$kept" > base
echo "$kept" > rate
rm -f open uploading order heard
fine=
if sleep 0.01; then fine=1; fi
program > program.sh
. ./program.sh
# Also where it is for others to be heard: nobody reads what is said here.
exec 2> /dev/null
look_at_clock
begin_due
progress= progress_at=$now rate=0
next=$hundredths
link &
while kill -0 "$launcher"; do
  nudged=
  obey
  look_at_clock
  set_pace
  if [ "$hundredths" -ge "$next" ]; then
    take_tick
    tidy
    watch_link
    look_at_clock
    next=$((next + rate * 100))
    [ "$next" -gt "$hundredths" ] || next=$hundredths
  fi
  if [ "$next" -gt "$hundredths" ]; then nap "$((next - hundredths))"; fi
done
leave 0
