#!/bin/bash
# What can be read without a supervisor: after a kill, after a boot, and for whom. And a runtime directory that is cleaned away under a
# living one comes back.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {ready: {delay: 100ms}, log: {max_size: 4KiB, max_files: 40, compress: true}}
services:
  web: {command: sleep 1000}
  short: {command: sleep 1001}
  talker: {shell: true, command: 'seq 1 5000; exec sleep 1002'}
END

supervise d "$work/services.yml"
within 10 is d '[.services[] | select(.state == "RUNNING")] | length == 3'
within 10 grep -qx 5000 "$work/d/state/logs/talker.log"
within 10 test -e "$work/d/state/logs/talker.log.1.gz"

# ---- cleaned away -----------------------------------------------------------------------------------------------------------------
curl -sS --max-time 60 -N --unix-socket "$(socket d)" -o "$work/followed" 'http://localhost/v1/events?follow=true' 2>/dev/null &
pids+=("$!")
within 5 grep -q supervisor-started "$work/followed"
before=$(value d '[.services[].pid] | tostring')
rm -rf "$work/d/run"
within 8 test -S "$work/d/run/control.sock"
within 2 test -f "$work/d/run/supervisor.json"
[ "$(stat -c %a "$work/d/run")" = 700 ] || fail "runtime_dir has mode $(stat -c %a "$work/d/run")"
[ -d "$work/d/run/heartbeats" ] || fail "heartbeats/ is not there again"
within 8 test -f "$work/d/run/heartbeat"
[ "$(value d '[.services[].pid] | tostring')" = "$before" ] || fail "services were disturbed"
within 5 grep -q runtime-restored "$work/followed"
ok "a runtime directory that was removed is there again, who is connected goes on, no service notices"

# ---- killed -----------------------------------------------------------------------------------------------------------------------
short=$(value d 's("short").pid')
crash
kill -KILL "$short"
within 5 gone "$short"
dead() { exits "$1" "$JSUPERVISE" --socket "$work/d/run/control.sock" "${@:2}"; }
dead 0 status
says "not running: it was killed" "2 of its services still run" GONE
[ "$(head -n 1 "$work/said" | cut -c1-11)" = jsupervise: ] || fail "it is not said first"
dead 0 status web
dead 3 status short
dead 4 status wbe
dead 0 status --json
sed '/^jsupervise:/d' "$work/said" | jq -e "(.supervisor | .state == \"dead\" and .pid == null and .ended_in_order == false)
    and ([.services[] | {(.name): .process}] | add == {web: \"running\", short: \"gone\", talker: \"running\"})" >/dev/null \
    || { cat "$work/said" >&2 && fail "the JSON is not what is documented"; }
dead 0 logs talker -n 9000
sed '/^jsupervise:/d' "$work/said" | cmp -s - <(seq 1 5000) || fail "logs does not find all rotated and compressed files"
dead 0 events --since 1
says "not running" runtime-restored
ok "after a kill: what still runs and what does not, logs over compressed files, events"

# ---- after a boot -----------------------------------------------------------------------------------------------------------------
for file in "$work"/d/state/journal/*.json; do
    sed -i 's/"boot_id":"[^"]*"/"boot_id":"00000000-0000-0000-0000-000000000000"/' "$file"
done
dead 3 status web
says "the machine was started anew" GONE
! grep -q "still run" "$work/said" || fail "something is said to run since before the boot"
ok "after a boot nothing runs"

# The runtime directory is empty then: the default place of the state is looked at.
chmod 755 "$work"
mkdir -p "$work/xdg/jsupervise"
cp -a "$work/d/state/." "$work/xdg/jsupervise/"
at_home() { exits "$1" "${home[@]}" "$JSUPERVISE" "${@:2}"; }
home=(env -u JSUPERVISE_SOCKET "XDG_STATE_HOME=$work/xdg" "XDG_RUNTIME_DIR=$work/nothing")
if [ "$(id -u)" = 0 ]; then
    cp -a "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
    chown -R 65534:65534 "$work/xdg"
    JSUPERVISE=$work/app/bin/jsupervise
    home=("${nobody[@]}" "${home[@]}")
fi
at_home 0 status
says "not running: the machine was started anew" "$work/xdg/jsupervise" web
at_home 69 status --name another
ok "and it is found without supervisor.json"

if [ "$(id -u)" = 0 ]; then
    chown -R 0:0 "$work/xdg"
    at_home 77 status
    says "permission denied"
    ok "whoever may not read the journal is told so: 77"
fi
