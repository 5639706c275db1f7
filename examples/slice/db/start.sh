#!/bin/sh
# PostgreSQL as a process of this machine: makes its database at the first start, then becomes the server.
# VOLUME_DATA, PORT and HOST come from fed; POSTGRES_USER and POSTGRES_PASSWORD_FILE from the lab.
set -eu

# It refuses to run as root: then it sees itself, and the files of its volume, under another number.
if [ "$(id -u)" = 0 ]; then
  exec unshare --user --map-user=1000 --map-group=1000 sh "$0"
fi

for folder in /usr/lib/postgresql/*/bin; do
  if [ -x "$folder/postgres" ]; then PATH=$folder:$PATH; fi
done
if ! command -v postgres >/dev/null; then
  echo "PostgreSQL is not installed: apt-get install postgresql" >&2
  exit 1
fi

data=$VOLUME_DATA/db
if [ ! -s "$data/PG_VERSION" ]; then
  # Made aside, so that one that was broken off is begun anew.
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  echo "CREATE DATABASE $POSTGRES_USER" | postgres --single -D "$data.new" postgres >/dev/null
  mv "$data.new" "$data"
fi

postgres -D "$data" -p "$PORT" -c listen_addresses="$HOST" -c unix_socket_directories= &
server=$!
# To be asked politely means to wait for all clients; by SIGINT it ends their connections and writes everything down.
trap 'kill -INT "$server"' TERM INT
wait "$server" && exit 0
code=$?
# A signal ends the wait, not the server.
while kill -0 "$server" 2>/dev/null; do
  wait "$server" && code=0 || code=$?
done
exit "$code"
