#!/bin/bash
# The services file is read again, by HUP and by command: only what has changed is touched, a bad file changes nothing, a dry run shows
# what would be done. What was adopted with another spec takes part. A supervisor that is killed over a reload goes on by the same file.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

# events NAME EVENT: how many of them were told so far.
events() { jq -s "map(select(.event == \"$2\")) | length" "$work/$1/state/events.ndjson"; }

told() { [ "$(events "$1" "$2")" -ge "$3" ]; }

pid_of() { value r "s(\"$1\").pid"; }

file=$work/services.yml
cat >"$file" <<'YAML'
defaults: {ready: {delay: 100ms}, backoff: {initial: 100ms, max: 100ms}}
services:
  same: {command: sleep 1000}
  command: {command: sleep 1001}
  place: {shell: true, command: 'while :; do printf "%0400d\n" 7; sleep 0.05; done', stop_timeout: 9s}
  gone: {command: sleep 1002}
  stubborn: {shell: true, command: 'trap "" TERM; while :; do sleep 0.1; done', stop_timeout: 2s}
  stopped: {command: sleep 1003}
  fatal: {shell: true, command: exit 3, give_up_exit_codes: [3]}
  crasher: {command: /no/such/program, backoff: {initial: 60s, max: 60s}}
YAML
supervise r "$file"
within 10 is r '[s("same"), s("command"), s("place"), s("gone"), s("stubborn")] | all(.state == "RUNNING")'
within 10 is r 's("fatal").state == "FATAL" and s("crasher").state == "BACKOFF"'
exits 0 ctl r stop stopped
before=$(value r '[.services[].pid] | tostring')

exits 0 ctl r reload
says "unchanged: 8"
[ "$(value r '[.services[].pid] | tostring')" = "$before" ] || fail "something was touched by a reload of the same file"
ok "the same file again: nothing is touched"

cp "$file" "$work/good.yml"
cat >"$file" <<'YAML'
services:
  same: {comand: sleep 1000}
  other: {command: sleep 1, restart: alway}
YAML
exits 78 ctl r reload
says "services.yml:2:" "did you mean \"command\"?" "services.yml:3:" "nothing was changed"
kill -HUP "$pid"
within 5 told r reload-refused 2
jq -se 'map(select(.event == "reload-refused")) | last | .problems | length >= 3' "$work/r/state/events.ndjson" >/dev/null \
    || fail "the event does not tell all problems"
[ "$(value r '[.services[].pid] | tostring')" = "$before" ] || fail "a bad file has touched something"
ok "a bad file is refused whole, with all its problems (78), by command and by HUP"

mv "$file" "$work/bad.yml"
mkfifo "$file"
exits 1 ctl r reload
says "cannot read $file" "within 10 s" "nothing was changed"
is r '[s("same"), s("command")] | all(.state == "RUNNING")' >/dev/null || fail "a file that cannot be read has stopped something"
is r '.supervisor.loop.longest_turn_ms < 1000' >/dev/null || fail "the loop waited for the file: $(value r '.supervisor.loop')"
rm "$file"
mv "$work/good.yml" "$file"
exits 0 ctl r reload
says "unchanged: 8"
[ "$(value r '[.services[].pid] | tostring')" = "$before" ] || fail "a file that cannot be read has touched something"
ok "a file that hangs is given up after 10 s, and the next reload goes on"

cat >"$work/next.yml" <<'YAML'
defaults: {ready: {delay: 100ms}, backoff: {initial: 100ms, max: 100ms}}
services:
  new: {command: sleep 2000}
  crasher: {command: sleep 2004, backoff: {initial: 60s, max: 60s}}
  fatal: {shell: true, command: exec sleep 2005, give_up_exit_codes: [3]}
  stopped: {command: sleep 2003}
  place: {shell: true, command: 'while :; do printf "%0400d\n" 7; sleep 0.05; done', stop_timeout: 1s, log: {file: place.log, max_size: 4KiB}}
  command: {command: sleep 2001}
  stubborn: {shell: true, command: 'trap "" TERM; while :; do sleep 0.1; done', stop_timeout: 2s}
  same: {command: sleep 1000}
YAML
exits 0 ctl r check "$work/next.yml" --diff
says "would add new" "would remove gone" "would restart command: command" "would restart crasher: command" "would restart fatal: command" \
    "would change place: stop_timeout, log.file, log.max_size" "would change stopped: command" "unchanged: 2"
[ "$(value r '[.services[].pid] | tostring')" = "$before" ] || fail "a dry run has touched something"
ctl r check "$work/next.yml" --diff --json | jq -e '.dry_run and .added == ["new"] and .unchanged == 2' >/dev/null || fail "no JSON of a dry run"
exits 69 "$JSUPERVISE" --socket "$work/nobody.sock" check "$work/next.yml" --diff
says "no supervisor at"
ok "check --diff shows it and does nothing; without a supervisor it says so (69)"

same=$(pid_of same) place=$(pid_of place) gone=$(pid_of gone)
cp "$work/next.yml" "$file"
exits 0 ctl r reload
says "added new" "removed gone" "restarted command: command" "changed place: stop_timeout, log.file, log.max_size" "unchanged: 2"
gone "$gone" || fail "the removed service still runs"
is r '[.services[].name] == ["new", "crasher", "fatal", "stopped", "place", "command", "stubborn", "same"]' >/dev/null || fail "not the order of the file"
is r '[s("new"), s("crasher"), s("fatal"), s("command")] | all(.state == "RUNNING" and .restarts <= 1 and (.spec_changed | not))' >/dev/null \
    || fail "not all run: $(value r '.services')"
is r 's("command") | .restarts == 0 and .last_exit.cause == "reload"' >/dev/null || fail "the restart counts: $(value r 's("command")')"
is r 's("stopped") | .state == "STOPPED" and .wanted == "down"' >/dev/null || fail "what was stopped came up"
[ "$(pid_of same) $(pid_of place)" = "$same $place" ] || fail "what need not restart has restarted"
within 5 test -s "$work/place.log"
within 10 test -e "$work/place.log.1"
[ ! -e "$work/r/state/fifo/gone.out" ] || fail "the FIFO of the removed service is still there"
for fd in "/proc/$pid/fd"/*; do
    case $(readlink "$fd") in *fifo/gone*) fail "the FIFO of the removed service is still open" ;; esac
done
exits 4 ctl r status gone
ok "added, removed, restarted, changed in place: each as said, the rest untouched, in the order of the file"

stubborn=$(pid_of stubborn)
sed -i '/^  stubborn/d' "$file"
exits 0 ctl r reload --no-wait
says "removed stubborn"
is r 's("stubborn").state == "STOPPING"' >/dev/null || fail "stubborn is not stopping: $(value r 's("stubborn")')"
cat >>"$file" <<'YAML'
  stubborn: {command: sleep 3000, umask: "077"}
YAML
exits 0 ctl r reload
says "added stubborn"
gone "$stubborn" || fail "two of stubborn"
is r 's("stubborn") | .state == "RUNNING"' >/dev/null || fail "stubborn does not run: $(value r 's("stubborn")')"
[ "$(tr '\0' ' ' <"/proc/$(pid_of stubborn)/cmdline")" = "sleep 3000 " ] || fail "stubborn runs the old command"
ok "removed and added again while it still stops: one process, the new command"

crash
sed -i 's/sleep 1000/sleep 1111/' "$file"
supervise r "$file"
within 10 is r 's("same") | .adopted and .spec_changed'
[ "$(pid_of same)" = "$same" ] || fail "same was restarted by a start of the supervisor"
exits 0 ctl r reload
says "restarted same"
within 10 is r 's("same") | .state == "RUNNING" and (.spec_changed | not)'
[ "$(tr '\0' ' ' <"/proc/$(pid_of same)/cmdline")" = "sleep 1111 " ] || fail "same runs the old command"
ok "adopted with another spec: restarts at the next reload"

sed -i '/^  new/d; s/sleep 2001/sleep 2111/' "$file"
old=$(pid_of new)
kill -HUP "$pid"
crash
supervise r "$file"
within 15 is r '[.services[].name] | index("new") == null'
within 15 gone "$old"
exits 0 ctl r reload
within 15 is r '[.services[] | select(.wanted == "up")] | all(.state == "RUNNING" and (.spec_changed | not))'
[ "$(pgrep -cf '^sleep 2111$')" = 1 ] || fail "not one process of command: $(pgrep -af '^sleep 2111$')"
ok "killed over a reload: the next supervisor goes on by the same file"

sed -i 's|^defaults|supervisor: {state_dir: elsewhere}\ndefaults|' "$file"
"$JSUPERVISE" --socket "$(socket r)" reload >/dev/null || fail "the options of run no longer beat the file"
ok "the options that run was given beat the file at a reload, too"
kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"

# One of 200.
{
    echo 'defaults: {ready: {delay: 0s}}'
    echo 'services:'
    for i in $(seq 200); do echo "  s$i: {command: sleep 5000}"; done
} >"$work/many.yml"
supervise m "$work/many.yml"
within 30 is m '[.services[] | select(.state == "RUNNING")] | length == 200'
before=$(value m '[.services[] | select(.name != "s77") | .pid] | tostring')
one=$(value m 's("s77").pid')
sed -i 's/^  s77: .*/  s77: {command: sleep 5001}/' "$work/many.yml"
began=$(date +%s%N)
ask m '/v1/reload?wait=true' -X POST >"$work/reloaded"
took=$((($(date +%s%N) - began) / 1000000))
jq -e '.restarted == [{"name": "s77", "keys": ["command"]}] and .unchanged == 199 and .results[0].done' "$work/reloaded" >/dev/null \
    || fail "$(cat "$work/reloaded")"
[ "$(value m '[.services[] | select(.name != "s77") | .pid] | tostring')" = "$before" ] || fail "others were touched"
[ "$(value m 's("s77").pid')" != "$one" ] || fail "s77 was not restarted"
ok "one of 200 changed: it alone restarts ($took ms until it runs)"
kill -TERM "$pid"
ends "$pid" 0 30
nothing_left || fail "left behind: $(bearers)"
