#!/bin/bash
# What a new supervisor makes of what it finds: another boot, a number that belongs to somebody else by now, a service that the file changed
# or no longer names, workers that outlived their main process, a journal that is gone.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  web: {command: sleep 1001}
  tree: {shell: true, command: 'sleep 2001 & sleep 3001 & wait'}
  off: {command: sleep 4001}
END
up() { is c '[.services[] | select(.name != "off") | .state] | all(. == "RUNNING")'; }
journal() { echo "$work/c/state/journal/$1.json"; }
# edit SERVICE FILTER: changes a record of a supervisor that does not run.
edit() { jq -c "$2" "$(journal "$1")" >"$work/edited" && cp "$work/edited" "$(journal "$1")"; }

supervise c "$work/services.yml"
within 10 up
exits 0 ctl c stop off

# A service that the file changed: adopted as it is, and marked; restarted only when asked.
web=$(value c 's("web").pid')
crash
sed -i 's/sleep 1001/sleep 1002/' "$work/services.yml"
supervise c "$work/services.yml"
within 10 is c "s(\"web\") | .pid == $web and .adopted and .spec_changed"
is c 's("tree").spec_changed == false' >/dev/null || fail "tree did not change"
exits 0 ctl c restart web
is c "s(\"web\") | .pid != $web and (.adopted | not) and (.spec_changed | not)" >/dev/null || fail "a restart does not take up the change"
ok "a service that changed in the file is adopted, marked, and restarted only when asked"

# Its main process dies meanwhile, its workers do not: they are gone before it starts again.
tree=$(value c 's("tree").pid')
crash
kill -KILL "$tree"
within 5 gone "$tree"
[ "$(pgrep -c -r R,S,D -g "$tree" sleep)" = 2 ] || fail "no workers of $tree; nothing to test"
supervise c "$work/services.yml"
within 10 is c "s(\"tree\") | .state == \"RUNNING\" and .pid != $tree and .restarts == 1"
if pgrep -r R,S,D -g "$tree" >/dev/null; then fail "workers of $tree outlived its new start"; fi
ok "workers of a main process that died unsupervised are ended before the next start"

# The recorded number belongs to somebody else: that one is never signalled.
sleep 5001 &
stranger=$!
pids+=("$stranger")
web=$(value c 's("web").pid')
crash
kill -KILL "$web"
within 5 gone "$web"
edit web ".process.pid = $stranger"
supervise c "$work/services.yml"
within 10 is c "s(\"web\") | .state == \"RUNNING\" and .pid != $stranger and .last_exit.cause == \"unsupervised\""
exits 0 ctl c stop web
kill -0 "$stranger" || fail "a process that only had the number of ours was ended"
exits 0 ctl c start web
ok "a process that has the number of a dead one of ours is never touched"

# All records are lost, the processes run: found by their marks.
before=$(jq -cn "[$(value c 's("web").pid'), $(value c 's("tree").pid')]")
crash
rm -f "$work"/c/state/journal/*.json
supervise c "$work/services.yml"
within 10 is c "[(s(\"web\"), s(\"tree\")) | select(.adopted) | .pid] == $before"
exits 0 ctl c stop off
ok "without any journal, running processes are found by their marks"

# A service that the file no longer names is stopped as its record says.
web=$(value c 's("web").pid')
crash
sed -i '/^  web:/d' "$work/services.yml"
supervise c "$work/services.yml"
within 10 gone "$web"
within 10 is c '[.services[].name] == ["tree", "off"]'
ok "what the file no longer names is stopped"

# Another boot, which ends every process: nothing is adopted, all is remembered.
restarts=$(value c 's("tree").restarts')
tree=$(value c 's("tree").pid')
crash
for one in $(keepers); do kill -KILL "$one"; done
kill -KILL -- "-$tree"
within 5 gone "$tree"
# What lies in /run is gone then, too.
rm -rf "$work/c/run"
for name in tree off @supervisor; do
    edit "$name" '.boot_id = "00000000-0000-4000-8000-000000000000"'
done
supervise c "$work/services.yml"
within 10 is c "s(\"tree\") | .state == \"RUNNING\" and (.adopted | not) and .restarts == $restarts and .last_exit.unknown"
is c 's("off") | .state == "STOPPED" and .wanted == "down"' >/dev/null || fail "what was stopped came back after a boot"
ok "after another boot nothing is adopted, the history is kept, and what was stopped stays stopped"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
