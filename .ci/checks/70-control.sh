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
