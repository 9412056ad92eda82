#!/bin/bash
# Ladders: a restart counts when it came to nothing, and when too many did, the next rung is taken: a command, others that are restarted, the
# end of the supervisor, the watchdog that is no longer fed. The supervisor is killed on the way, too.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

# told NAME CONDITION: whether there is such an event.
told() { jq -se "any(.[]; $2)" "$work/$1/state/events.ndjson"; }

# rungs NAME: those that were told, in their order.
rungs() { jq -sr '[.[] | select(.event == "escalating") | "\(.rung):\(.action)"] | join(" ")' "$work/$1/state/events.ndjson"; }

record() { jq -e "$3" "$work/$1/state/journal/$2.json" >/dev/null; }

# ---- from rung to rung, until it works ----

cat >"$work/up.yml" <<END
defaults: {backoff: {initial: 20ms, max: 20ms}, ready: {delay: 50ms}, stop_timeout: 1s, shell: true, verify: {stable_for: 4s}}
groups: {pair: {strategy: one_for_one}}
services:
  db:
    command: test -e $work/mended && exec sleep 1000; exit 3
    start_limit: {count: 2, within: 1m}
    group: pair
    escalate:
      - run: env >$work/told; exit 1
      - restart-dependents
      - restart-group
      - run: {command: touch $work/mended, timeout: 10s}
      - shutdown
  web: {command: sleep 1000, depends_on: {db: {condition: started}}}
  mate: {command: sleep 1000, group: pair}
  other: {command: sleep 1000}
END
exits 0 "$JSUPERVISE" check "$work/up.yml"
says 'at most 2 within 1m' 'then       run, restart-dependents, restart-group, run, shutdown'
supervise up "$work/up.yml"
within 30 is up 's("db").state == "RUNNING"'
[ "$(rungs up)" = "1:run 2:restart-dependents 3:restart-group 4:run" ] || fail "the rungs: $(rungs up)"
for line in HOOK=escalate RUNG=1 'REASON=2 restarts within 1m did not help; last: exit 3' EXIT_CODE=3; do
    grep -qx "JSUPERVISE_$line" "$work/told" || fail "the command was not told: $line"
done
ok "each rung is taken when two restarts came to nothing, and the command is told why"

told up '.service == "db" and .event == "hook-failed" and .hook == "escalate"' >/dev/null || fail "a command that failed is not told"
grep -q 'WARN.*db: escalating rung=2 rungs=5 action=restart-dependents' "$work/up/out" || fail "not told at WARN"
within 10 is up 's("web").state == "RUNNING" and s("web").restarts == 0'
told up '.service == "web" and .event == "exited" and .cause == "dependency"' >/dev/null || fail "web was not restarted"
told up '.service == "mate" and .event == "exited" and .cause == "group"' >/dev/null || fail "mate was not restarted"
! told up '.service == "other" and .event == "exited"' >/dev/null || fail "other was restarted"
ok "dependents and the group were restarted, and nobody else"

record up db '.ladder.rungs_taken == 4' || fail "the journal does not know of the ladder"
within 20 told up '.event == "verified" and .rungs_taken == 4'
within 5 record up db '.ladder == null'
ok "what works begins at the first rung again"

rm "$work/mended"
kill -KILL "$(value up 's("db").pid')"
within 20 sh -c "jq -sr '[.[] | select(.event == \"escalating\") | .rung] | tostring' '$work/up/state/events.ndjson' | grep -qF '[1,2,3,4,1'"
ctl up stop db >/dev/null
is up 's("db").state == "STOPPED"' >/dev/null || fail "an operator's stop does not end the climb"
within 5 record up db '.ladder == null'
kill -TERM "$pid"
ends "$pid" 0 20
ok "an operator's stop ends the climb"

# ---- the end of the supervisor ----

cat >"$work/down.yml" <<END
defaults: {backoff: {initial: 20ms, max: 20ms}, ready: {delay: 10ms}, shell: true}
services:
  db: {command: exit 3, start_limit: {count: 1, within: 1m}, escalate: [shutdown]}
  web: {command: sleep 1000}
END
launch down "$work/down.yml"
ends "$pid" 1 30
grep -q 'shutdown-begun by=the ladder of "db"' "$work/down/out" || fail "it does not say why it ends"
no_service_left || fail "something was left"
jq -e '.ended_in_order' "$work/down/state/journal/@supervisor.json" >/dev/null || fail "it did not end in order"
ok "shutdown ends the supervisor in order, by 1, and says so"

supervise down "$work/down.yml"
within 10 is down 's("db").state == "FATAL"'
is down 's("web").state == "RUNNING" and (s("db").fatal_reason | contains("nor did the rung of its ladder"))' >/dev/null \
    || fail "the next one: $(value down 's("db").fatal_reason')"
kill -TERM "$pid"
ends "$pid" 0 20
ok "the next supervisor goes on behind that rung, so it does not end for ever"

# ---- kills on the way ----

cat >"$work/killed.yml" <<END
defaults: {backoff: {initial: 20ms, max: 20ms}, ready: {delay: 10ms}, shell: true}
services:
  db:
    command: exit 3
    start_limit: {count: 1, within: 1m}
    escalate: [{run: 'echo begun >>$work/first; test -e $work/quick || sleep 60; echo done >>$work/first'}, {run: 'echo second >>$work/second'}]
END
supervise killed "$work/killed.yml"
within 10 grep -q begun "$work/first"
record killed db '.ladder | .rungs_taken == 1 and .due_after_run_id != null' || fail "the rung is taken and not recorded"
crash
touch "$work/quick"
supervise killed "$work/killed.yml"
within 15 is killed 's("db").state == "FATAL"'
[ "$(cat "$work/first")" = "begun
begun
done" ] || fail "the first command: $(cat "$work/first")"
[ "$(cat "$work/second")" = second ] || fail "the second command: $(cat "$work/second")"
told killed '.event == "escalating" and .rung == 1 and .again' >/dev/null || fail "it does not say that it did it again"
! told killed '.event == "escalating" and .rung == 2 and .again' >/dev/null || fail "it says again where there was nothing"
crash
supervise killed "$work/killed.yml"
is killed 's("db").state == "FATAL"' >/dev/null || fail "given up is forgotten"
kill -TERM "$pid"
ends "$pid" 0 20
ok "a rung that a kill has broken off is done again, which is told, and the next one once"

# ---- the last rung ----

cat >"$work/reboot.yml" <<END
defaults: {backoff: {initial: 20ms, max: 20ms}, ready: {delay: 10ms}, shell: true}
services:
  db: {command: exit 3, start_limit: {count: 1, within: 1m}, escalate: [reboot]}
  web: {command: sleep 1000}
END
supervise none "$work/reboot.yml"
within 10 is none 's("db").state == "FATAL"'
within 5 grep -q 'WARN.*db: reboot-impossible reason=no hardware watchdog' "$work/none/out"
is none 's("web").state == "RUNNING"' >/dev/null || fail "others suffer from it"
kill -TERM "$pid"
ends "$pid" 0 20
ok "without a watchdog there is no reboot, which is told"

mkfifo "$work/device"
cat "$work/device" >"$work/came" &
pids+=($!)
{
    echo "supervisor: {watchdog: {device: $work/device, timeout: 2s, interval: 200ms}}"
    cat "$work/reboot.yml"
} >"$work/watched.yml"
supervise dog "$work/watched.yml"
within 15 is dog '.supervisor.watchdog.state == "withheld"'
record dog @supervisor '.feed_withheld | .service == "db" and (.reason | contains("its ladder ends with a reboot"))' || fail "withheld without a record"
size=$(stat -c %s "$work/came")
sleep 0.6
[ "$(stat -c %s "$work/came")" = "$size" ] || fail "fed though it is withheld"
ctl dog stop db >/dev/null
within 5 is dog '.supervisor.watchdog.state == "armed"'
fed_on() { [ "$(stat -c %s "$work/came")" -gt "$size" ]; }
within 5 fed_on
kill -TERM "$pid"
ends "$pid" 0 20
ok "a reboot withholds the feed, which the journal has, and an operator's stop ends that"
nothing_left || fail "something was left"
