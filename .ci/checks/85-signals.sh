#!/bin/bash
# What signals do to the supervisor: INT and TERM stop everything, a second INT hurries, HUP is for reload and ends nothing.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {log: none}
services:
  plain: {command: sleep 1000}
  tree: {shell: true, command: '(sleep 2000 & sleep 3000 & wait) & wait'}
END
cat >"$work/stubborn.yml" <<'END'
defaults: {log: none}
services:
  stubborn: {shell: true, command: 'trap "" TERM; while :; do sleep 1; done', stop_timeout: 1h}
END

for signal in INT TERM; do
    supervise "$signal" "$work/services.yml"
    within 10 is "$signal" 's("plain").state == "RUNNING" and s("tree").state == "RUNNING"'
    kill -"$signal" "$pid"
    ends "$pid" 0 20
    nothing_left || fail "left behind after $signal: $(bearers)"
    [ ! -e "$work/$signal/run/control.sock" ] || fail "the socket is left behind after $signal"
    ok "$signal stops everything; exit 0"
done

# As a script without job control starts it, with INT ignored.
mkdir "$work/script"
"$JSUPERVISE" run "$work/services.yml" --state-dir "$work/script/state" --runtime-dir "$work/script/run" >"$work/script/out" 2>&1 </dev/null &
pid=$!
pids+=("$pid")
within 10 is script 's("plain").state == "RUNNING"'
kill -INT "$pid"
ends "$pid" 0 20
ok "INT also ends one that was started with INT ignored"

supervise HUP "$work/services.yml"
within 10 is HUP 's("plain").state == "RUNNING"'
old=$(value HUP 's("plain").pid')
kill -HUP "$pid"
within 5 grep -q HUP "$work/HUP/out"
is HUP "s(\"plain\") | .state == \"RUNNING\" and .pid == $old" >/dev/null || fail "HUP disturbed a service"
ok "HUP is told and ends nothing"
kill -TERM "$pid"
ends "$pid" 0 20

supervise twice "$work/stubborn.yml"
within 10 is twice 's("stubborn").state == "RUNNING"'
kill -INT "$pid"
within 10 is twice 's("stubborn").state == "STOPPING"'
! gone "$pid" || fail "did not wait for stop_timeout"
kill -INT "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
ok "a second INT hurries"
