# Starts what reports, again whenever it ends or hangs; goes back to the text before when a new one does not come up.
# Ends with what it started, and when that says so (64).
cd "${0%/*}" || exit 1
umask 077
echo "$$" > pid
group= resting=
stop() {
  trap '' TERM INT HUP
  [ -z "$group" ] || kill -s TERM -- "-$group" 2> /dev/null
  [ -z "$resting" ] || kill "$resting" 2> /dev/null
  exit 143
}
trap stop TERM INT HUP
# What reports says so when it ends.
trap ending=1 USR1

rest() {
  sleep "$1" > /dev/null 2>&1 &
  resting=$!
  wait "$resting"
  kill "$resting" 2> /dev/null
  resting=
}

go_back() {
  version=
  read -r _ version < trial
  mv -f agent.old agent.sh && rm -f trial
  echo "$version" > refused
}

while :; do
  rm -f alive
  setsid sh ./agent.sh "$$" > /dev/null 2> error < /dev/null &
  group=$!
  hung=0 ending=
  while [ -z "$ending" ] && kill -0 "$group" 2> /dev/null; do
    # One that is on trial may end at once.
    pause=20
    [ ! -f trial ] || pause=4
    rest "$pause"
    # It leaves a sign with each tick; some of what it asks may hang for ever.
    hung=$((hung + 1))
    if [ -f alive ]; then
      rm -f alive
      hung=0
    fi
    long=45
    [ ! -f long ] || read -r long < long
    [ "$hung" -lt "$long" ] || kill -s KILL -- "-$group" 2> /dev/null
  done
  wait "$group"
  code=$?
  # What it has left behind: another upload of its own would be in the way of the next one.
  kill -s KILL -- "-$group" 2> /dev/null
  group=
  [ "$code" != 64 ] || exit 0
  if [ -f trial ] && [ "$code" != 75 ]; then
    tries=3 version=
    read -r tries version < trial
    tries=$((tries + 1))
    if [ "$code" = 76 ] || [ "$tries" -ge 3 ]; then go_back; else echo "$tries $version" > trial; fi
  fi
  [ "$code" = 75 ] || rest 5
done
