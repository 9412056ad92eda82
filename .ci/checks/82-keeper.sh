#!/bin/bash
# What happens while no supervisor runs: how a service ended, and what it wrote last, is known to the next one.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

one_keeper() { [ "$(keepers | wc -w)" = 1 ]; }

cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 30s, max: 30s}}
services:
  dies:
    shell: true
    command: 'while [ ! -e $work/go ]; do sleep 0.05; done; for i in \$(seq 100); do echo "line \$i"; done; exit 37'
  lives: {command: sleep 1000}
END
supervise k "$work/services.yml"
within 10 is k 's("dies").state == "RUNNING" and s("lives").state == "RUNNING"'
within 5 one_keeper
keeper=$(keepers)
dies=$(value k 's("dies").pid')
# The keeper learns of a child within moments, off the way of the restart.
sleep 0.2
crash
touch "$work/go"
reaped() { [ ! -e "/proc/$dies" ]; }
within 20 reaped
gone "$keeper" && fail "the keeper did not outlive its supervisor"

supervise k "$work/services.yml"
within 10 is k 's("lives").state == "RUNNING"'
[ "$(keepers)" = "$keeper" ] || fail "the keeper was not taken over: $keeper, then $(keepers)"
exits 0 ctl k logs dies -n 1000
[ "$(grep -cE '^line [0-9]+$' "$work/said")" = 100 ] || fail "not all lines are in the log: $(wc -l <"$work/said")"
ok "100 lines that a service wrote before it died without a supervisor are in its log"
if [ "$(printf '6.15\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.15 ]; then
    is k 's("dies").last_exit | .code == 37 and .unknown == false' >/dev/null \
        || fail "$(value k 's("dies").last_exit | tostring') instead of exit 37"
    ok "exit 37, though nobody was there and init has reaped it"
else
    is k 's("dies").last_exit.unknown' >/dev/null || fail "a kernel before 6.15 cannot know how it ended"
    skip "how it ended is known from kernel 6.15 on"
fi

kill -KILL "$keeper"
replaced() { one_keeper && [ "$(keepers)" != "$keeper" ]; }
within 10 replaced
ok "a keeper that ends is replaced"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers) $(keepers)"
ok "an orderly end leaves nothing"
