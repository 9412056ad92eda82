#!/bin/bash
# Heartbeat files as the world has them: directories, FIFOs, links to nowhere, files of an earlier run or from the future.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

mkdir "$work/beats" "$work/beats/directory"
mkfifo "$work/beats/fifo"
ln -s nowhere "$work/beats/dangling"
touch "$work/beats/left"
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 100ms}, stop_timeout: 2s}
services:
  witness:
    shell: true
    command: 'while :; do touch "\$JSUPERVISE_HEARTBEAT"; sleep 0.2; done'
    heartbeat: {timeout: 2s}
  directory: {command: sleep 1000, heartbeat: {file: $work/beats/directory, timeout: 1s, grace: 2s}}
  fifo: {command: sleep 1000, heartbeat: {file: $work/beats/fifo, timeout: 1s, grace: 2s}}
  dangling: {command: sleep 1000, heartbeat: {file: $work/beats/dangling, timeout: 1s, grace: 2s}}
  left: {command: sleep 1000, heartbeat: {file: $work/beats/left, timeout: 1s, grace: 2s}}
  future:
    shell: true
    command: 'while :; do touch -d "+1 hour" "\$JSUPERVISE_HEARTBEAT"; sleep 0.2; done'
    heartbeat: {timeout: 2s}
  past:
    shell: true
    command: 'n=0; while :; do n=\$((n + 1)); touch -d "1999-01-01 00:00:00 +\$n sec" "\$JSUPERVISE_HEARTBEAT"; sleep 0.2; done'
    heartbeat: {timeout: 2s}
  dumper:
    shell: true
    command: 'trap "echo dump-of-a-hang" USR1; touch "\$JSUPERVISE_HEARTBEAT"; while :; do sleep 0.1; done'
    heartbeat: {timeout: 1s}
    dump_signal: USR1
END
supervise h "$work/services.yml"
for name in directory fifo dangling left; do
    within 10 is h "s(\"$name\") | .restarts >= 1 and .last_exit.cause == \"heartbeat\""
done
ok "a directory, a FIFO, a dangling link and a file of an earlier run are no beats"

within 15 is h 's("dumper") | .restarts >= 2 and .last_exit.cause == "heartbeat"'
within 5 grep -q dump-of-a-hang "$work/h/state/logs/dumper.log"
ok "what hangs is asked for a dump first; the grace is armed anew at each start"

for name in witness future past; do
    is h "s(\"$name\") | .restarts == 0 and .state == \"RUNNING\" and .heartbeat.state == \"ok\"" >/dev/null \
        || fail "$name beats and was disturbed: $(value h "s(\"$name\")")"
done
ok "what beats is left alone, whatever times it writes"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
