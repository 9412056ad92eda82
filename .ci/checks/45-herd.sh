#!/bin/bash
# Three hundred services: all start, all are killed in one instant and are back, all stop, and nothing is left.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

{
    echo 'defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 200ms}}'
    echo 'services:'
    for n in {1..300}; do
        echo "  s$n: {command: [sleep, \"$((10000 + n))\"]}"
    done
} >"$work/services.yml"

supervise herd "$work/services.yml"
within 30 is herd '[.services[] | select(.state == "RUNNING" and .restarts == 0)] | length == 300'
[ "$(bearers | wc -l)" = 300 ] || fail "$(bearers | wc -l) processes instead of 300"
ok "300 run, each once"

mapfile -t herd < <(value herd '.services[].pid')
kill -KILL "${herd[@]}"
within 30 is herd '[.services[] | select(.state == "RUNNING" and .restarts == 1 and .last_exit.signal == "SIGKILL")] | length == 300'
[ "$(bearers | wc -l)" = 300 ] || fail "$(bearers | wc -l) processes instead of 300"
for old in "${herd[@]}"; do
    gone "$old" || fail "$old was killed and is still there"
done
jq -se 'length == 300 and all(.restarts == 1)' "$work"/herd/state/journal/s*.json >/dev/null || fail "the journal missed a restart"
ok "300 killed at once: each is back once, and on record"

kill -TERM "$pid"
ends "$pid" 0 30
nothing_left || fail "left behind: $(bearers | wc -l)"
ok "all stopped, nothing is left"
