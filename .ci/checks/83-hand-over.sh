#!/bin/bash
# The supervisor is replaced ten times while its services run on: same processes, no line lost or twice, no restart counted. What was on
# its way goes on with the next one. TERM still stops everything.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 100ms}, log: {max_size: 4MiB, max_files: 200}}
services:
  counter: {shell: true, command: 'i=0; while :; do i=$((i + 1)); echo "$i"; done'}
  stamped: {shell: true, command: 'i=0; while :; do i=$((i + 1)); echo "$i"; sleep 0.01; done', log: {timestamps: true}}
  steady: {command: sleep 1000}
  stopped: {command: sleep 1001}
  fatal: {shell: true, command: exit 3, give_up_exit_codes: [3]}
  crasher: {shell: true, command: exit 1, backoff: {initial: 3s, max: 3s}}
  stubborn: {shell: true, command: 'trap "" TERM; while :; do sleep 0.2; done', stop_timeout: 3s}
END
running='s("counter").state == "RUNNING" and s("stamped").state == "RUNNING" and s("steady").state == "RUNNING"'
pids_of() { value h '[(s("counter"), s("stamped"), s("steady")) | .pid] | tostring'; }

# lines SERVICE: everything that it wrote, oldest first.
lines() {
    local log=$work/h/state/logs/$1.log number
    for number in $(seq 200 -1 1); do
        [ ! -e "$log.$number" ] || cat "$log.$number"
    done
    cat "$log"
}

supervise h "$work/services.yml"
within 10 is h "$running"' and s("fatal").state == "FATAL" and s("crasher").state == "BACKOFF" and s("stubborn").state == "RUNNING"'
exits 0 ctl h stop stopped
exits 0 ctl h stop stubborn --no-wait
stubborn=$(value h 's("stubborn").pid')
before=$(pids_of)
crashes=$(value h 's("crasher").restarts')

for round in 1 2 3 4 5 6 7 8 9 10; do
    exits 0 ctl h shutdown --leave-running
    says "run on"
    ends "$pid" 0 5
    [ ! -e "$work/h/run/control.sock" ] || fail "round $round: the socket is still there"
    for one in $(jq -r '.[]' <<<"$before"); do
        ! gone "$one" || fail "round $round: $one has not been left running"
    done
    supervise h "$work/services.yml"
    within 10 is h "$running"
    [ "$(pids_of)" = "$before" ] || fail "round $round: other processes: $before, then $(pids_of)"
    is h '[s("counter"), s("stamped"), s("steady")] | all(.restarts == 0 and .adopted and .last_exit == null)' >/dev/null \
        || fail "round $round: $(value h '[s("counter"), s("stamped"), s("steady")]')"
done
ok "ten hand-overs: same processes, nothing counted"

is h 's("stopped") | .state == "STOPPED" and .wanted == "down"' >/dev/null || fail "what was stopped came back"
is h 's("fatal") | .state == "FATAL" and .restarts == 0' >/dev/null || fail "FATAL is forgotten: $(value h 's("fatal")')"
within 10 is h 's("stubborn") | .state == "STOPPED" and .wanted == "down" and .last_exit.cause == "operator"'
gone "$stubborn" || fail "stubborn still runs"
within 10 is h "s(\"crasher\").restarts > $crashes"
ok "the stopped stay stopped, FATAL stays, a stop goes on, a backoff runs on"

events=$(jq -s 'map(select(.event == "supervisor-ended" and .left_running >= 3)) | length' "$work/h/state/events.ndjson")
[ "$events" = 10 ] || fail "$events hand-overs are told of"
jq -se 'map(select(.service == "steady" and .event == "started")) | length == 1' "$work/h/state/events.ndjson" >/dev/null \
    || fail "steady was started more than once"
ok "each is told of"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
ok "TERM stops everything"

for service in counter stamped; do
    lines "$service" | sed 's/^.*Z //' | awk -v name="$service" '
        $0 != NR { print name ": line " NR " is " $0; bad = 1; exit }
        END { if (!bad && NR < 100) { print name ": only " NR " lines"; bad = 1 } if (!bad) print "        " name ": " NR " lines"; exit bad }' \
        || fail "lines are missing, twice or out of order"
done
ok "every line is there once"
