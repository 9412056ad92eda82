#!/bin/bash
# Records that cannot be read are set aside, never over one another, and told of aloud; what runs of their services is found all the same.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

names=(garbage truncated empty zeros later whole)
{
    echo "defaults: {backoff: {initial: 100ms, max: 100ms}}"
    echo "services:"
    for name in "${names[@]}"; do
        echo "  $name: {command: sleep 1000}"
    done
} >"$work/services.yml"
all_run() { is d '[.services[].state] | all(. == "RUNNING")'; }
pids_now() { value d '[.services[] | "\(.name) \(.pid)"] | sort | tostring'; }
journal=$work/d/state/journal

damage() {
    printf 'not a record' >"$journal/garbage.json"
    truncate -s 40 "$journal/truncated.json"
    truncate -s 0 "$journal/empty.json"
    head -c 300 /dev/zero >"$journal/zeros.json"
    printf '{"version":99,"name":"later"}\n' >"$journal/later.json"
}

supervise d "$work/services.yml"
within 10 all_run
kill -KILL "$(value d 's("whole").pid')"
within 10 is d 's("whole") | .restarts == 1 and .state == "RUNNING"'
before=$(pids_now)
for round in 1 2; do
    crash
    damage
    [ "$round" = 1 ] || printf '{"version":99}' >"$journal/@supervisor.json"
    supervise d "$work/services.yml"
    within 20 all_run
    [ "$(pids_now)" = "$before" ] || fail "round $round: other processes than before: $before, now $(pids_now)"
    [ "$(bearers | wc -l)" -le 7 ] || fail "round $round: something runs twice: $(bearers | wc -l)"
    is d 's("whole").restarts == 1' >/dev/null || fail "round $round: the history of a whole record is gone"
done
ok "what runs of services whose records were damaged, emptied or later is adopted; the others keep their history"

for name in garbage truncated empty zeros; do
    for file in "$name.json.damaged" "$name.json.damaged.2"; do
        [ -f "$journal/$file" ] || fail "no $file: $(ls "$journal")"
    done
done
for file in later.json.from-version-99 later.json.from-version-99.2 @supervisor.json.from-version-99; do
    [ -f "$journal/$file" ] || fail "no $file: $(ls "$journal")"
done
[ "$(cat "$journal/garbage.json.damaged")" = "not a record" ] || fail "what was set aside was changed"
ok "each is set aside under a name that says why, and none over another"

is d '.supervisor.journal | .state == "ok" and (.set_aside | map(.service) == [null, "empty", "garbage", "later", "truncated", "zeros"])' >/dev/null \
    || fail "the status: $(value d .supervisor.journal)"
[ "$(ask d /v1/health -o /dev/null -w '%{http_code}')" = 200 ] || fail "health is bad though all is supervised"
exits 0 ctl d status
says "garbage.json.damaged.2" "later.json: it has version 99"
[ "$(grep -c '^WARN .*journal-damaged' "$work/d/out")" = 11 ] || fail "the log does not warn of each"
ctl d events >"$work/events"
grep -q '"service":"later","event":"journal-damaged".*from-version-99.2' "$work/events" || fail "no event tells of it"
ok "events, the log and the status tell of each; health is well, since all is supervised"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
