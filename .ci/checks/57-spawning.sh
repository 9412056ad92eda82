#!/bin/bash
# What a program finds when it starts, what becomes of programs that cannot be started, and when the supervisor does not start one again.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

printf '#!/bin/sh\nsleep 1000\n' >"$work/plain"
printf '#!/nowhere/interpreter\n' >"$work/no-interpreter"
chmod 755 "$work/no-interpreter"
mkdir "$work/room"
echo 'FROM_FILE=of the file' >"$work/env"
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 100ms}}
services:
  probe:
    working_dir: room
    umask: "027"
    environment: {GIVEN: 12:30, ANSWER: no}
    env_file: env
    command:
      - /bin/sh
      - -c
      - |
        # In shells of their own, so that no redirection shows up as a descriptor of this one.
        (ls -l /proc/\$\$/fd >$work/fds)
        cat /proc/\$\$/status >$work/status
        sed 's/.*) //' /proc/\$\$/stat >$work/stat
        { umask; pwd; echo "\$GIVEN \$ANSWER \$FROM_FILE"; echo "\$JSUPERVISE_SERVICE \${JSUPERVISE_RUN_ID:+run} \${JSUPERVISE_HEARTBEAT-none}"; } >$work/seen
        echo \$\$ >$work/probed
        exec sleep 1000
  missing: {command: /nowhere/at-all}
  unknown: {command: no-such-program-anywhere}
  plain: {command: $work/plain}
  orphan-script: {command: $work/no-interpreter}
  nowhere: {command: sleep 1, working_dir: /nowhere/to-be}
  limited: {command: "false", start_limit: {count: 3, within: 1m}}
  hopeless: {command: [sh, -c, exit 7], give_up_exit_codes: [7]}
  done: {command: "true", restart: on-failure}
  never: {command: "false", restart: never}
  success: {command: [sh, -c, exit 3], restart: on-failure, success_exit_codes: [3]}
  leaver: {shell: true, command: 'sleep 7654 & sleep 0.3; exit 1'}
END
supervise s "$work/services.yml"

within 10 test -s "$work/probed"
probe=$(cat "$work/probed")
[ "$(grep -c ' -> ' "$work/fds")" = 3 ] || { cat "$work/fds" >&2 && fail "descriptors leak into the child"; }
grep -q ' 0 -> /dev/null' "$work/fds" || fail "standard input is not /dev/null"
grep -q 'SigBlk:.0000000000000000' "$work/status" || fail "signals are blocked: $(grep SigBlk "$work/status")"
grep -q 'SigIgn:.0000000000000000' "$work/status" || fail "signals are ignored: $(grep SigIgn "$work/status")"
[ "$(cut -d' ' -f3,4 "$work/stat")" = "$probe $probe" ] || fail "no group and session of its own: $(cat "$work/stat")"
diff - "$work/seen" <<END || fail "it does not see what it should"
0027
$work/room
12:30 no of the file
probe run none
END
ok "three descriptors, no signal blocked or ignored, a session, umask, directory and variables of its own"

failed() { within 10 is s "s(\"$1\") | .last_exit.cause == \"start-failed\" and .restarts >= 1 and .pid == null and (.last_exit.reason | contains(\"$2\") and contains(\"$3\"))"; }
failed missing /nowhere/at-all ENOENT
failed unknown no-such-program-anywhere ENOENT
failed plain "$work/plain" EACCES
failed orphan-script "$work/no-interpreter" ENOENT
failed nowhere /nowhere/to-be ENOENT
ok "what cannot be started backs off, and tells path and errno"

within 10 is s 's("limited") | .state == "FATAL" and .restarts >= 2 and .pid == null'
within 10 is s 's("hopeless") | .state == "FATAL" and .restarts == 0 and .last_exit.code == 7'
exits 3 ctl s status limited hopeless
says FATAL
exits 1 ctl s start hopeless
within 10 is s 's("hopeless").state == "FATAL"'
ok "start_limit and give_up_exit_codes end in FATAL"

within 10 is s 's("done") | .state == "EXITED" and .restarts == 0'
within 10 is s 's("never") | .state == "EXITED" and .restarts == 0 and .last_exit.code == 1'
within 10 is s 's("success") | .state == "EXITED" and .restarts == 0 and .last_exit.code == 3'
ok "what has ended as it should stays ended"

within 15 is s 's("leaver").restarts >= 4'
sleepers() { for one in $(bearers); do tr '\0' ' ' <"/proc/$one/cmdline" 2>/dev/null | grep '^sleep 7654' || true; done; }
[ "$(sleepers | wc -l)" -le 1 ] || fail "leftovers of dead main processes live on: $(sleepers | wc -l)"
ok "what a dead program leaves in its group is ended before it starts again"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
