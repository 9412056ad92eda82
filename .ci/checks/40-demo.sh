#!/bin/bash
# config-examples/demo.yml does what it says: fifteen seconds in which programs beat, crash, hang and refuse to stop.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

supervise demo config-examples/demo.yml

within 10 is demo 's("ticker").state == "RUNNING" and s("ticker").heartbeat.state == "ok"'
within 10 is demo 's("stubborn").state == "RUNNING"'
ok "all run"

within 20 is demo 's("crasher") | .restarts >= 2 and .last_exit.cause == "exit" and .last_exit.code == 1'
ok "crasher crashed twice and is back"

within 30 is demo 's("hanger") | .restarts >= 1 and .last_exit.cause == "heartbeat"'
ok "hanger hung, and was ended for its heartbeat"

is demo 's("ticker") | .restarts == 0 and .ready and .pid != null' >/dev/null || fail "ticker did not simply run"
is demo '.supervisor | .name == "demo" and .journal.state == "ok"' >/dev/null || fail "supervisor is not as it should be"
ok "ticker ran undisturbed"

exits 0 ctl demo status
says NAME ticker crasher hanger stubborn RUNNING
exits 4 ctl demo status nobody-knows
exits 0 ctl demo logs ticker -n 1
says tick
ok "status table and logs"

within 5 grep -q 'ticker.*tick' "$work/demo/out"
ok "the console shows the output with the service's name"

started=$SECONDS
exits 0 ctl demo stop stubborn
[ $((SECONDS - started)) -ge 1 ] || fail "stubborn stopped at once, though it ignores TERM"
is demo 's("stubborn") | .state == "STOPPED" and .last_exit.signal == "SIGKILL"' >/dev/null || fail "stubborn was not killed"
ok "stubborn is stopped by force"

kill -INT "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
ok "INT stops everything; exit 0, nothing is left"
