#!/bin/bash
# The control socket under bad clients: each is refused or dropped, sound ones are answered, and supervision goes on undisturbed.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}, log: none}
services:
  victim: {command: sleep 1000}
  witness: {command: sleep 1000}
END
supervise c "$work/services.yml"
within 10 is c 's("victim").state == "RUNNING" and s("witness").state == "RUNNING"'
sock=$work/c/run/control.sock

[ "$(stat -c %a "$sock")" = 600 ] || fail "the socket has mode $(stat -c %a "$sock")"
ok "the socket is its owner's alone"

# status CODE: of the last HTTP reply, asked for by http PATH [CURL OPTION..]
http() {
    local path=$1
    shift
    ask c "$path" -o "$work/body" -w '%{http_code}' "$@"
}
replies() {
    local expected=$1 code
    shift
    code=$(http "$@") || true
    [ "$code" = "$expected" ] || { cat "$work/body" >&2 && fail "HTTP $code instead of $expected: $*"; }
}
replies 200 /v1/status
replies 200 /v1/services/victim
replies 200 /v1/health
replies 404 /v1/services/victm
jq -e '.error.code == "no-such-service" and (.error.message | test("victim"))' "$work/body" >/dev/null || fail "$(cat "$work/body")"
replies 404 /v1/nothing
replies 405 /v1/status -X DELETE
replies 400 '/v1/services/victim/signal?signal=NOSUCH' -X POST
replies 413 /v1/services/victim/start -X POST --data-binary "@$JSUPERVISE" --limit-rate 100M -H 'Content-Length: 99999999'
ok "answers and refusals by HTTP"

python3 .ci/checks/abuse.py "$sock" || fail "bad clients were not handled"
ok "bad clients are dropped, good ones served"

# Thirty-two may follow a stream; the others are told so, and whoever only asks is answered.
followers=()
for n in {1..40}; do
    # Not by ask(): of a function in the background the shell tells the pid of a shell, and a signal to that ends no curl.
    curl -sS --max-time 60 -N --unix-socket "$sock" -o "$work/stream.$n" 'http://localhost/v1/events?follow=true' &
    followers+=("$!")
done
pids+=("${followers[@]}")
told() { [ "$(grep -l too-many "$work"/stream.* | wc -l)" = 8 ] && [ "$(grep -l supervisor-started "$work"/stream.* | wc -l)" = 32 ]; }
within 10 told
for _ in 1 2 3 4 5; do
    replies 200 /v1/status
done
kill "${followers[@]}" 2>/dev/null || true
{ wait "${followers[@]}" || true; } 2>/dev/null
ok "followers of a stream keep nobody from being answered"

rm "$sock"
within 15 answers c
[ "$(stat -c %a "$sock")" = 600 ] || fail "the new socket has mode $(stat -c %a "$sock")"
ok "a socket that was removed is made again"

old=$(value c 's("victim").pid')
python3 .ci/checks/abuse.py --hold "$sock" >"$work/holding" &
holder=$!
pids+=("$holder")
within 20 grep -q holding "$work/holding"
kill -KILL "$old"
# Asked on connections of our own once the holders are gone; the journal tells meanwhile.
within 5 jq -e '.restarts == 1' "$work/c/state/journal/victim.json"
kill -KILL "$holder"
within 15 is c "s(\"victim\") | .restarts == 1 and .state == \"RUNNING\" and .pid != $old"
is c 's("witness").restarts == 0' >/dev/null || fail "the other service was disturbed"
ok "a restart takes place while 200 connections are held"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"

# ---- who may ----------------------------------------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
    skip "a group of others needs root"
    exit 0
fi
{
    echo "supervisor: {socket_group: $(getent group 65534 | cut -d: -f1)}"
    cat "$work/services.yml"
} >"$work/group.yml"
chmod 755 "$work"
supervise g "$work/group.yml"
chmod 755 "$work/g"
within 10 is g 's("victim").state == "RUNNING"'
sock=$work/g/run/control.sock
[ "$(stat -c '%a %g' "$sock")" = "660 65534" ] || fail "the socket has $(stat -c '%a %g' "$sock")"
[ "$(stat -c '%a %g' "$work/g/run")" = "750 65534" ] || fail "the directory of the socket has $(stat -c '%a %g' "$work/g/run")"
as_member() { "${nobody[@]}" curl -sS --max-time 5 --unix-socket "$sock" -o /dev/null -w '%{http_code}' "$@"; }
[ "$(as_member http://localhost/v1/status)" = 200 ] || fail "a member of the group cannot read"
[ "$(as_member -X POST http://localhost/v1/services/victim/stop)" = 403 ] || fail "a member of the group may act"
[ "$(as_member -X POST http://localhost/v1/shutdown)" = 403 ] || fail "a member of the group may shut down"
is g 's("victim") | .state == "RUNNING" and .wanted == "up"' >/dev/null || fail "a member of the group has stopped a service"
ok "members of socket_group read, and no more"
kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
