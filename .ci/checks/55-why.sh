#!/bin/bash
# What an operator is told who asks why: the chain of causes, the last words, what follows, what helps; with a supervisor and without one. And
# who is told by hooks: beside the service, not too often, and after a kill of the supervisor too.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<END
defaults: {ready: {delay: 100ms}}
services:
  db:
    shell: true
    command: 'echo "cannot open the data"; exit 3'
    backoff: {initial: 200ms, max: 60s, factor: 60}
    on_failure: 'echo "\$JSUPERVISE_CAUSE \$JSUPERVISE_EXIT_CODE \$JSUPERVISE_FAILURES" >>$work/failures'
  flaps:
    shell: true
    command: 'exit 3'
    backoff: {initial: 100ms, max: 100ms}
    on_failure: 'echo "\$JSUPERVISE_CAUSE \$JSUPERVISE_EXIT_CODE \$JSUPERVISE_FAILURES" >>$work/flaps'
  climbs:
    shell: true
    command: 'exit 5'
    backoff: {initial: 60s, max: 60s}
    start_limit: {count: 0, within: 5m}
    escalate: [{run: [true]}, restart-dependents]
  last: {command: sleep 1000, depends_on: [climbs]}
  web: {command: sleep 1000, depends_on: [db]}
  shop: {command: sleep 1000, depends_on: [web]}
  well: {command: sleep 1000}
  down: {command: sleep 1000, autostart: false}
  missing: {command: /nowhere/at-all, backoff: {initial: 60s, max: 60s}}
  hopeless:
    shell: true
    command: 'exit 78'
    give_up_exit_codes: [78]
    on_give_up: 'echo "\$JSUPERVISE_STATE \$JSUPERVISE_REASON" >>$work/given-up; sleep 0.5; echo finished >>$work/given-up'
END
# Two that come while a third is being told are told together.
flapped() { [ "$(awk '{ sum += $3 } END { print sum }' "$work/flaps")" = 5 ]; }
supervise s "$work/services.yml"
within 10 is s 's("db") | .state == "BACKOFF" and .restarts == 2'

exits 0 ctl s why shop
says "shop is WAITING" "it waits for web to be ready (it is WAITING)" "web is WAITING" "it waits for db to be ready (it is BACKOFF)" \
    "it ended twice" "each time: exit 3" "| cannot open the data" "it is started again; shop starts when" "start db" "logs -n 50 db" "stop shop"
[ "$(head -c 15 "$work/said")" = "shop is WAITING" ] || fail "the answer does not come first: $(head -n 1 "$work/said")"
[ "$(wc -l <"$work/said")" -le 24 ] || fail "it does not fit on a screen: $(wc -l <"$work/said") lines"
exits 0 ctl s why db
says "for db waits web"
exits 0 ctl s why well
says "runs and is ready" "nothing has to be done"
exits 0 ctl s why down
says "autostart: false" "start it"
exits 0 ctl s why missing
says "/nowhere/at-all" ENOENT "jsupervise check $work/services.yml" reload
exits 0 ctl s why hopeless
says "hopeless is FATAL" "exit 78 is one of its give_up_exit_codes" "nothing until somebody starts it"
exits 0 ctl s why last
says "climbs has taken rung 1 of 2, since start_limit allows no restart; last: exit 5" "it was to run true" "next, to restart what depends on it: last" \
    "the next rung is taken after 1 more failure within 5m"
ask s /v1/services/climbs/why | jq -e '.ladder | .rungs == ["run", "restart-dependents"] and .taken == 1 and .done and .last.action == "run"
    and .next == {"rung": 2, "action": "restart-dependents", "text": "restart what depends on it: last"}' >/dev/null || fail "$(ask s /v1/services/climbs/why)"
ask s /v1/services/db/why | jq -e 'has("ladder") and .ladder == null' >/dev/null || fail "a ladder of one that has none"
exits 4 ctl s why wbe
says 'did you mean "web"'
exits 64 ctl s why
ok "the chain of causes, last words, what follows and what helps, on one screen"

# What it tells to type does what it says.
command=$(ctl s why hopeless | grep "try again" | sed 's/^ *do */ /; s/ *#.*//')
before=$(value s 's("hopeless").since')
env PATH="$(dirname -- "$JSUPERVISE"):$PATH" timeout 60 bash -c "$command --no-wait" >/dev/null || fail "exit $?: $command"
within 10 is s "s(\"hopeless\") | .state == \"FATAL\" and .since != \"$before\""
ok "a command can be pasted as it stands:$command"

ctl s why shop --json >"$work/json"
ask s /v1/services/shop/why >"$work/asked"
for file in "$work/json" "$work/asked"; do
    jq -e '.service == "shop" and .state == "WAITING" and .supervised and .root == "db" and (.because | map(.service) == ["shop", "web", "db"])
        and .failures[0].code == 3 and .last_words.lines[-1] == "cannot open the data" and .next.in_ms > 0 and (.can | length) > 2' "$file" >/dev/null \
        || { cat "$file" >&2 && fail "the JSON is not what is documented"; }
done
form='[paths | map(if type == "number" then 0 else . end)] | unique'
[ "$(jq -c "$form" "$work/json")" = "$(jq -c "$form" "$work/asked")" ] || fail "the command and HTTP have different forms"
ok "one form as JSON, by the command and by HTTP"

# ---- hooks that tell ------------------------------------------------------------------------------------------------------------------
[ "$(cat "$work/failures")" = "exit 3 1
exit 3 1" ] || fail "the failures were told as: $(cat "$work/failures")"
within 10 flapped
within 10 is s 's("flaps").restarts >= 7'
flapped || fail "the failures were told as: $(cat "$work/flaps")"
exits 0 ctl s why flaps
says "will be told to its on_failure together"
within 5 grep -q finished "$work/given-up"
grep -q "FATAL exit 78 is one of its give_up_exit_codes" "$work/given-up" || fail "on_give_up was told: $(cat "$work/given-up")"
ok "a few failures are told at once, those of a service that flaps together later; a give-up is told"

# ---- without a supervisor ----------------------------------------------------------------------------------------------------------------
told_twice() { [ "$(grep -c finished "$work/given-up")" = 2 ]; }
within 10 told_twice
rm "$work/given-up"
ctl s start --no-wait hopeless >/dev/null
# In the middle of on_give_up: recorded, begun, not at its end.
within 10 test -s "$work/given-up"
crash
dead() { exits "$1" "$JSUPERVISE" --socket "$work/s/run/control.sock" "${@:2}"; }
dead 0 why db
says "db was BACKOFF" "each time: exit 3" "| cannot open the data" "the next supervisor starts it" "jsupervise run $work/services.yml"
[ "$(head -n 1 "$work/said" | cut -c1-11)" = jsupervise: ] || fail "it is not said first that there is no supervisor"
dead 0 why well
says "still runs, and nobody supervises it" "takes it over"
dead 0 why hopeless
says "hopeless was FATAL" "it stays FATAL"
dead 4 why wbe
dead 0 why shop
says "shop was WAITING" "it waited for web to be ready (it was WAITING)" "web was WAITING" "it waited for db to be ready (it was BACKOFF)" "db was BACKOFF" \
    "| cannot open the data" "the next supervisor starts it; shop starts behind it"
dead 0 why shop --json
sed '/^jsupervise:/d' "$work/said" | jq -e '.root == "db" and (.because | map(.service) == ["shop", "web", "db"]) and .failures[0].code == 3' >/dev/null || fail "no chain"
dead 0 why down
says "autostart: false"
mv "$work/services.yml" "$work/moved.yml"
dead 0 why db
says "each time: exit 3" "what db depends on is not known"
dead 0 why db --json
sed '/^jsupervise:/d' "$work/said" | jq -e '.notes[0] | contains("the services file cannot be used now") and contains("there is no such file")' >/dev/null \
    || fail "it is not said why"
dead 4 why shop
says "there is no such file"
mv "$work/moved.yml" "$work/services.yml"
dead 0 why db --json
sed '/^jsupervise:/d' "$work/said" | jq -e '.supervised == false and .root == "db" and .failures[0].code == 3' >/dev/null || fail "no JSON"
exits 69 "$JSUPERVISE" --socket "$work/nowhere/control.sock" why db
ok "without a supervisor it answers from the state directory, and says so first"

# The hook of the dead supervisor may have come to its end by itself; to the next one it has not.
rm "$work/given-up"
supervise s "$work/services.yml"
within 10 grep -q finished "$work/given-up"
[ "$(grep -c FATAL "$work/given-up")" = 1 ] || fail "the give-up was told $(grep -c FATAL "$work/given-up") times"
within 5 is s 's("hopeless").state == "FATAL"'
ok "what was not told to its end is told again by the next supervisor"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
