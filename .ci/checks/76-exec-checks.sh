#!/bin/bash
# Programs that tell how a service is: ready by one, hung by one, as the service's user, with what it says in the reason; one that hangs or floods is
# ended with its whole tree and hurts nobody; never two of one check at once; what a killed supervisor leaves of them is ended by the next.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

chmod 711 "$work"
mkdir -m 777 "$work/x"
cat >"$work/slow.sh" <<'END'
#!/bin/sh
# Counts how many of it there are at once, and hangs with a tree that wants to get away.
n=$(ls "$1" | wc -l)
[ "$n" = 0 ] || echo "$n" >>"$1.double"
mkdir "$1/$$"
trap 'rmdir "$1/$$"' EXIT
setsid sleep 1000 &
(setsid sh -c 'sleep 1000 & wait' &)
sleep 0.2
rmdir "$1/$$"
exec sleep 1000
END
cat >"$work/say.sh" <<'END'
#!/bin/sh
echo "$(id -un) $PWD ${JSUPERVISE_CHECK_NAME} ${JSUPERVISE_PID} ${OWN:-none}" >"$1.$$"
mv "$1.$$" "$1"
echo first
[ ! -e "$2" ] || { echo "the store is gone"; printf '\n'; exit 3; }
END
chmod 755 "$work"/*.sh
mkdir "$work/once"
user=()
[ "$(id -u)" != 0 ] || user=("user: nobody,")
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 200ms, max: 200ms}, stop_timeout: 2s, start_timeout: 20s}
services:
  waits:
    command: sleep 1000
    ready: {exec: [test, -e, $work/x/ready]}
  asked: {${user[*]} command: sleep 1000, working_dir: /usr, environment: {OWN: own}, ready: {delay: 0s},
    checks: {store: {exec: [$work/say.sh, $work/x/said, $work/x/sick], interval: 200ms, retries: 2}}}
  hangs:
    command: sleep 1000
    ready: {delay: 0s}
    checks: {slow: {exec: [$work/slow.sh, $work/once], interval: 300ms, timeout: 700ms, retries: 1000}}
  floods:
    command: sleep 1000
    ready: {delay: 0s}
    checks: {much: {exec: [sh, -c, 'yes x | head -c 300000; echo; exit 1'], interval: 500ms, timeout: 3s, retries: 1000},
             endless: {exec: ["yes"], interval: 500ms, timeout: 1s, retries: 1000}}
  missing:
    command: sleep 1000
    ready: {delay: 0s}
    checks: {door: {exec: [/nowhere/look], interval: 200ms, retries: 3}}
  writes:
    shell: true
    command: 'echo "is it up?"; while [ ! -e $work/x/up ]; do sleep 0.05; done; echo "now it is up: 80" >&2; exec sleep 1000'
    ready: {log_line: "up: [0-9]+$"}
  shell:
    shell: true
    command: exec sleep 1000
    ready: {exec: 'test -n "\$JSUPERVISE_PID" && kill -0 \$JSUPERVISE_PID'}
END
supervise e "$work/services.yml"
for name in asked hangs floods shell; do
    within 20 is e "s(\"$name\") | .state == \"RUNNING\""
done
is e 's("waits").state == "STARTING"' >/dev/null
writes=$(value e 's("writes").pid')
is e 's("writes").state == "STARTING"' >/dev/null
touch "$work/x/ready"
within 10 is e 's("waits").state == "RUNNING"'
ok "a service is ready when its program says so"

crash
touch "$work/x/up"
sleeps() { [ "$(ps -o comm= -p "$writes")" = sleep ]; }
within 10 sleeps
supervise e "$work/services.yml"
within 10 is e "s(\"writes\") | .state == \"RUNNING\" and .pid == $writes and .restarts == 0"
grep -q "up: 80" "$work/e/state/logs/writes.log" || fail "the line is lost"
ctl e restart writes
within 10 is e "s(\"writes\") | .state == \"RUNNING\" and .pid != $writes"
ok "a service is ready when it writes its line, and when it wrote it while nobody supervised"

within 10 is e 's("asked").checks[0].state == "ok"'
main=$(value e 's("asked").pid')
me=$(id -un)
[ "$me" != root ] || me=nobody
[ "$(cat "$work/x/said")" = "$me /usr store $main own" ] || fail "$(cat "$work/x/said")"
touch "$work/x/sick"
within 10 is e 's("asked").last_exit.cause == "check"'
rm "$work/x/sick"
is e 's("asked").last_exit.reason | endswith("failed 2 times in a row: exit 3: the store is gone")' >/dev/null || fail "$(value e 's("asked").last_exit.reason')"
within 10 is e 's("asked") | .state == "RUNNING" and .checks[0].state == "ok"'
within 10 is e 's("missing").last_exit.reason | contains("/nowhere/look") and contains("ENOENT")'
exits 0 "$JSUPERVISE" check "$work/services.yml"
says "warning: check door cannot be executed by now: /nowhere/look"
ok "a check runs as its service does, and its last line is the reason"

within 10 is e 's("hangs").checks[0] | .problem == "no answer within 700ms" and .failures >= 3'
within 10 is e 's("floods") | (.checks[0].problem == "exit 1: x") and (.checks[1].problem == "no answer within 1s: y")'
[ ! -e "$work/once.double" ] || fail "$(cat "$work/once.double") at once"
slow() { marked '^JSUPERVISE_CHECK_NAME=slow' || true; }
several() { [ "$(slow | wc -l)" -ge 3 ]; }
[ "$(slow | wc -l)" -le 8 ] || fail "$(slow | wc -l) processes of a check"
is e '.supervisor.loop.longest_turn_ms < 500' >/dev/null || fail "$(value e .supervisor.loop)"
ok "what hangs is killed with its tree, what writes much may, and there is one at a time"

pids_before=$(value e '[s("hangs", "floods", "waits").pid] | tostring')
within 10 several
crash
left=$(slow)
[ -n "$left" ] || fail "no check was running"
supervise e "$work/services.yml"
for one in $left; do
    within 5 gone "$one"
done
[ "$(value e '[s("hangs", "floods", "waits").pid] | tostring')" = "$pids_before" ] || fail "services were disturbed"
within 10 is e 's("hangs").checks[0].failures >= 1'
ok "what a killed supervisor leaves of checks is ended by the next, and services go on"

within 10 several
exits 0 ctl e stop hangs
[ -z "$(slow)" ] || fail "a check outlives its service"
ok "a service that is down has no check left"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
