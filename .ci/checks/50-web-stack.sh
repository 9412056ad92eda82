#!/bin/bash
# config-examples/web-stack.yml with the real redis and nginx: up, killed with -9, up again, down without a trace.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

PATH=$PATH:/usr/sbin
for program in redis-server redis-cli nginx curl; do
    command -v "$program" >/dev/null || fail "$program is not installed"
done

export WEB_STACK_DATA=$work/data
pong() { [ "$(redis-cli -s "$work/data/redis/redis.sock" ping)" = PONG ]; }
serves() { [ "$(curl -s --max-time 2 http://127.0.0.1:8088/)" = "web-stack is up" ]; }

! serves || fail "something else serves on 127.0.0.1:8088"
supervise stack config-examples/web-stack.yml
within 20 pong
within 20 serves
within 20 is stack 's("redis").state == "RUNNING" and s("nginx").state == "RUNNING"'
ok "redis answers, nginx serves"

[ "$(redis-cli -s "$work/data/redis/redis.sock" set promise kept)" = OK ] || fail "redis does not store"
# The append-only file is synced once a second; a kill -9 of the program alone loses nothing that was written to the file.
for round in 1 2 3; do
    old=$(value stack 's("redis").pid')
    kill -KILL "$old"
    within 20 is stack "s(\"redis\") | .restarts == $round and .state == \"RUNNING\" and .pid != $old"
    within 20 pong
done
[ "$(redis-cli -s "$work/data/redis/redis.sock" get promise)" = kept ] || fail "redis lost its data"
is stack 's("redis").last_exit | .signal == "SIGKILL" and .cause == "signal" and .code == null' >/dev/null \
    || fail "the end of redis is not told as it was: $(value stack 's("redis").last_exit')"
ok "redis killed three times: it is back and has its data"

old=$(value stack 's("nginx").pid')
workers=$(pgrep -P "$old" | tr '\n' ' ')
[ -n "$workers" ] || fail "nginx has no workers"
kill -KILL "$old"
within 20 is stack "s(\"nginx\") | .restarts == 1 and .state == \"RUNNING\" and .pid != $old"
within 20 serves
for worker in $workers; do
    gone "$worker" || fail "worker $worker of the dead nginx lives on"
done
ok "nginx killed: its workers went with it, the port was free for the next"

exits 0 ctl stack stop --all
no_service_left || fail "left after stop --all: $(bearers)"
! pong 2>/dev/null || fail "redis answers though it is stopped"
exits 0 ctl stack start --all
within 20 pong
within 20 serves
ok "stop --all and start --all"

exits 0 ctl stack shutdown
ends "$pid" 0 30
nothing_left || fail "left behind: $(bearers)"
ok "shutdown leaves nothing"
