#!/bin/bash
# A disk that fills up while services run: they stay supervised, and what was recorded before is recorded still, since a record is written
# over an older one; where a file would have to be made, the journal is told to be stale, and mends once there is room.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

mkdir -p "$work/d/state"
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=1m,mode=755 none "$work/d/state" 2>/dev/null; then
    skip "cannot mount a small disk here"
    exit 0
fi
mounts+=("$work/d/state")
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  quiet: {command: sleep 1000, log: none}
  fresh: {command: sleep 1000, log: none, autostart: false}
  talker: {shell: true, command: 'n=0; while :; do n=\$((n+1)); echo "line \$n"; echo \$n >$work/progress; sleep 0.05; done', log: {max_files: 0}}
END
supervise d "$work/services.yml"
within 10 is d 's("quiet").state == "RUNNING" and s("talker").state == "RUNNING"'

within 10 test -e "$work/d/state/journal/quiet.json.new"
recorded() { jq -e "$2" "$work/d/state/journal/$1.json" >/dev/null; }

head -c 2M /dev/zero >"$work/d/state/filler" 2>/dev/null || true
kill -KILL "$(value d 's("quiet").pid')"
within 20 is d 's("quiet") | .restarts == 1 and .state == "RUNNING"'
within 10 recorded quiet '.restarts == 1 and .state == "RUNNING"'
is d '.supervisor.journal.state == "ok"' >/dev/null || fail "the journal is stale: $(value d '.supervisor.journal')"
ok "a restart is recorded on a full disk"

exits 0 ctl d start fresh
within 10 is d '.supervisor.journal | .state == "stale" and (tostring | test("ENOSPC"))'
is d 's("fresh").state == "RUNNING"' >/dev/null || fail "a service that cannot be recorded was not started"
ok "a first record takes room: the journal is stale, for ENOSPC"

exits 0 ctl d stop quiet
is d 's("quiet").state == "STOPPED"' >/dev/null || fail "stop did nothing while the disk is full"
exits 0 ctl d start quiet
ok "operators are served meanwhile"

# Output that cannot be written is dropped after ten seconds, so that the service goes on however much it says.
progress() { cat "$work/progress" 2>/dev/null || echo 0; }
advanced() { [ "$(progress)" -ge $((before + 100)) ]; }
before=$(progress)
within 30 advanced
ok "a talking service is not held up by its log"

rm "$work/d/state/filler"
within 30 is d '.supervisor.journal.state == "ok"'
ok "the journal mends once there is room"
recorded quiet '.restarts == 1' || fail "the journal lost a restart: $(cat "$work/d/state/journal/quiet.json")"
recorded fresh '.wanted == "up"' || fail "what an operator wanted was lost: $(cat "$work/d/state/journal/fresh.json")"
grep -q '^line ' "$work/d/state/logs/talker.log" || fail "no log was written"
ok "nothing was forgotten"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
