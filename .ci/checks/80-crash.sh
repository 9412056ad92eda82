#!/bin/bash
# The supervisor killed with -9: the next one adopts what runs, starts nothing twice, forgets no restart, and replaces the dead socket.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  plain: {command: sleep 1000}
  tree: {shell: true, command: 'sleep 2000 & sleep 3000 & wait'}
  stubborn: {shell: true, command: 'trap "" TERM; while :; do sleep 1; done', stop_timeout: 1s}
  stopped: {command: sleep 4000}
END
all_run() { is c 's("plain").state == "RUNNING" and s("tree").state == "RUNNING" and s("stubborn").state == "RUNNING"'; }

# lone NAME: exactly one process is the main process of that service.
lone() { [ "$(mains "$1" | wc -l)" = 1 ]; }
mains() {
    local one
    for one in $(bearers); do
        if grep -qz "^JSUPERVISE_SERVICE=$1\$" "/proc/$one/environ" 2>/dev/null \
            && [ "$(cut -d' ' -f6 <(sed 's/(.*)/x/' "/proc/$one/stat" 2>/dev/null) 2>/dev/null)" = "$one" ]; then
            echo "$one"
        fi
    done
}

supervise c "$work/services.yml"
within 10 all_run
exits 0 ctl c stop stopped
kill -KILL "$(value c 's("plain").pid')"
within 10 is c 's("plain") | .restarts == 1 and .state == "RUNNING"'

for round in 1 2 3; do
    old=$(value c '[.services[].pid | values] | tostring')
    crash
    [ -S "$work/c/run/control.sock" ] || fail "the dead supervisor left no socket; nothing to test"
    supervise c "$work/services.yml"
    within 20 all_run
    for service in plain tree stubborn; do
        lone "$service" || fail "round $round: main processes of $service: $(mains "$service" | tr '\n' ' ')"
    done
    [ "$(bearers | wc -l)" -le 7 ] || fail "round $round: too many processes: $(bearers | wc -l)"
    is c 's("plain").restarts >= 1' >/dev/null || fail "round $round: restarts are forgotten"
    is c 's("stopped") | .state == "STOPPED" and .wanted == "down"' >/dev/null || fail "round $round: what was stopped came back"
    [ "$(value c '[.services[].pid | values] | tostring')" = "$old" ] || fail "round $round: other processes than before: $old"
    is c '[.services[] | select(.pid) | .adopted] == [true, true, true]' >/dev/null || fail "round $round: not adopted"
done
ok "three kills of the supervisor: all processes are adopted, nothing runs twice, nothing is forgotten, the stopped stay stopped"
ok "a dead socket is replaced"

# Killed while it starts: at ever later moments.
for delay in 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.7; do
    crash
    launch c "$work/services.yml"
    # Not waiting for anything: the moment of the kill is what is tried.
    sleep "$delay"
done
crash
supervise c "$work/services.yml"
within 20 all_run
for service in plain tree stubborn; do
    lone "$service" || fail "main processes of $service: $(mains "$service" | tr '\n' ' ')"
    [ "$(mains "$service")" = "$(value c "s(\"$service\").pid")" ] || fail "the process of $service is not the one that is supervised"
done
[ "$(bearers | wc -l)" -le 7 ] || fail "too many processes: $(bearers | wc -l)"
ok "killed nine times while it starts: nothing runs twice"

# What an unlucky kill leaves: a start that is noted but not recorded, and the process has ended. Here the record is taken away.
before=$(value c 's("plain").restarts')
[ "$before" = 1 ] || fail "plain was restarted $before times"
main=$(value c 's("plain").pid')
crash
kill -KILL "$main"
within 5 gone "$main"
rm "$work/c/state/journal/plain.json"
supervise c "$work/services.yml"
within 20 all_run
is c 's("plain") | .restarts == 1 and .last_exit.cause != "operator"' >/dev/null || fail "the end of a run that was only noted is not counted"
ok "a run that was not recorded and had ended is known, and its restart counted"

for file in "$work"/c/state/journal/*.json; do
    jq -e . "$file" >/dev/null || fail "the journal is broken: $file"
done
ok "the journal decodes"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
