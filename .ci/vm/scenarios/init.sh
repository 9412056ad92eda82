#!/bin/bash
# On a kernel of its own: the supervisor is process 1, as in the smallest of appliances. What loses its parent is reaped, nobody can kill it, and
# TERM stops all, with exit code 0, which is then the kernel's last word. (.ci/vm/run --init)
if [ "${1:-}" != inside ]; then
    mkdir -p /tmp/init
    cat >/tmp/init/services.yml <<YML
defaults: {ready: {delay: 0s}}
services:
  sleeper: {command: sleep 1000}
  orphans: {shell: true, command: "while :; do (setsid sleep 0.1 &); sleep 0.1; done"}
  tester: {command: [$PWD/.ci/vm/scenarios/init.sh, inside], restart: never, log: inherit}
YML
    exec supervisor-cli/target/jsupervise/bin/jsupervise run /tmp/init/services.yml --state-dir /tmp/init/state --runtime-dir /tmp/init/run
fi

fail() {
    echo "  FAIL  init: $*"
    # Without an end in order there is no exit code, and that is told.
    exec poweroff -f
}

[ "$(cat /proc/1/comm)" = java ] || fail "process 1 is $(cat /proc/1/comm)"
curl -sS --max-time 20 --unix-socket /tmp/init/run/control.sock http://localhost/v1/status | jq -e '.services | length == 3' >/dev/null || fail "status does not answer"
echo "  ok    the supervisor is process 1 and answers"

sleep 12
zombies=$(pgrep -c -P 1 -r Z)
[ "$zombies" -lt 60 ] || fail "$zombies zombies after 12 s of less than 10 orphans a second"
echo "  ok    it reaps what loses its parent ($zombies wait)"

kill -KILL 1
kill -STOP 1
sleep 1
curl -sS --max-time 20 --unix-socket /tmp/init/run/control.sock http://localhost/v1/status >/dev/null || fail "it does not answer after KILL and STOP"
echo "  ok    neither KILL nor STOP touches it"
kill -TERM 1
# It ends by the stop, with its supervisor.
exec sleep 1000
