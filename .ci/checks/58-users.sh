#!/bin/bash
# Services of other users: who they are, what is theirs, what is refused before anything starts, and what becomes of them when the supervisor
# dies. Without root, the half of it that needs none.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

# ---- refusals ---------------------------------------------------------------------------------------------------------------------
# refused CODE LINES TEXT..: neither `check` nor `run` take a service with these lines, and a sound one beside it is not started.
refused() {
    local code=$1 lines=$2
    shift 2
    printf 'services:\n  sound: {command: touch %s/started}\n  web:\n    command: sleep 1000\n%b' "$work" "$lines" >"$work/bad.yml"
    exits "$code" "$JSUPERVISE" check "$work/bad.yml"
    says "$@"
    exits "$code" "$JSUPERVISE" run "$work/bad.yml" --state-dir "$work/r/state" --runtime-dir "$work/r/run"
    says "$@"
    [ ! -e "$work/started" ] || fail "a sound service was started beside: $lines"
    [ ! -e "$work/r/state" ] || fail "a state directory was made for: $lines"
}
refused 78 '    user: no-such-user\n' "bad.yml:5:11: " no-such-user "does not exist"
refused 78 '    group: no-such-group\n    user: no-such-user\n' "bad.yml:5:12: " "bad.yml:6:11: "
refused 78 '    user: 4242\n' "bad.yml:5:11: " "add group"
refused 78 '    rlimits: {nofile: 3000000000}\n' "bad.yml:5:23: " fs.nr_open
refused 78 '    nice: 30\n    oom_score_adj: 3\n' "bad.yml:5:11: "
ok "what this machine cannot give: 78, with its place, by check and by run"

as_nobody() {
    # In a place that everybody can read, which a clone need not be.
    chmod 755 "$work"
    [ -d "$work/app" ] || cp -a "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
    printf 'services:\n  web:\n    command: sleep 1000\n%b' "$1" >"$work/bad.yml"
    exits "$2" "${nobody[@]}" "$work/app/bin/jsupervise" check "$work/bad.yml"
}
as_nobody '    user: root\n    nice: -5\n    rlimits: {nofile: {soft: 10, hard: unlimited}}\n' 78
as_nobody '    user: root\n    nice: -5\n' 77
says "bad.yml:4:11: user" "bad.yml:5:11: nice" root
as_nobody '    nice: 5\n    rlimits: {nofile: 100}\n    no_new_privs: true\n    oom_score_adj: 100\n' 0
says "nofile 100" "nice 5" "oom_score_adj 100"
ok "what takes root: 77; what does not is for everybody"

# ---- without root -----------------------------------------------------------------------------------------------------------------
mkdir -p "$work/p"
chmod 777 "$work/p"
cat >"$work/plain.yml" <<END
services:
  plain:
    command: [sh, -c, 'ulimit -n; ulimit -Hn; nice; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status; exec sleep 1000']
    nice: 5
    rlimits: {nofile: {soft: 100, hard: 200}}
    no_new_privs: true
    oom_score_adj: 100
END
"${nobody[@]}" env --default-signal=INT "${work}/app/bin/jsupervise" run "$work/plain.yml" --state-dir "$work/p/state" --runtime-dir "$work/p/run" \
    >"$work/p/out" 2>&1 </dev/null &
plain=$!
pids+=("$plain")
within 20 grep -q NoNewPrivs "$work/p/state/logs/plain.log"
[ "$(tr -s '\n\t' '  ' <"$work/p/state/logs/plain.log")" = "100 200 5 100 NoNewPrivs: 1 " ] || fail "without root: $(cat "$work/p/state/logs/plain.log")"
kill -TERM "$plain"
ends "$plain" 0 20
ok "limits, nice, oom_score_adj and no_new_privs without root"

if [ "$(id -u)" != 0 ]; then
    skip "other users need root"
    exit 0
fi

# ---- another user -----------------------------------------------------------------------------------------------------------------
mkdir "$work/theirs" "$work/closed"
chown 65534:65534 "$work/theirs"
chmod 700 "$work/closed"
printf '#!/bin/sh\nexec sleep 1000\n' >"$work/ours"
chmod 700 "$work/ours"
cp "$(command -v sleep)" "$work/busy"
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 100ms}}
services:
  probe:
    user: nobody
    group: nogroup
    supplementary_groups: [4, 100]
    rlimits: {nofile: 1000, core: unlimited, nproc: {soft: 5000, hard: 6000}}
    nice: 3
    oom_score_adj: 50
    no_new_privs: true
    working_dir: theirs
    heartbeat: {timeout: 1h}
    log: {stderr: file}
    command:
      - sh
      - -c
      - |
        id -u; id -g; id -G; ulimit -n; ulimit -c; nice; echo "\$HOME \$USER \$LOGNAME \$SHELL"
        echo again >/dev/stdout
        echo wrong >/dev/stderr
        echo beside >here && touch "\$JSUPERVISE_HEARTBEAT" && echo beaten
        cat /proc/self/status >status
        exec sleep 1000
  own-words: {user: nobody, environment: {HOME: /here}, command: [sh, -c, 'echo "\$HOME \$USER"; exec sleep 1000']}
  beater: {user: nobody, heartbeat: {timeout: 8s}, shell: true, command: 'while :; do touch -c "\$JSUPERVISE_HEARTBEAT"; sleep 0.5; done'}
  ours: {user: nobody, command: $work/ours}
  closed: {user: nobody, command: sleep 1000, working_dir: closed}
  busy: {user: nobody, command: [$work/busy, "1000"]}
  missing: {user: nobody, command: /nowhere/at-all}
  hooked: {user: nobody, command: sleep 1000, post_stop: $work/ours}
  crowd: {user: nobody, rlimits: {nofile: 3}, command: sleep 1000}
END
exec 9>>"$work/busy"
supervise s "$work/services.yml" 9>&-
log=$work/s/state/logs

within 10 grep -q beaten "$log/probe.log"
passwd=$(getent passwd nobody)
diff - "$log/probe.log" <<END || fail "it is not who it should be"
65534
65534
65534 4 100
1000
unlimited
3
$(cut -d: -f6 <<<"$passwd") nobody nobody $(cut -d: -f7 <<<"$passwd")
again
beaten
END
grep -qx wrong "$log/probe.err.log" || fail "it could not open its error output again"
within 5 test -s "$work/theirs/status"
for set in CapInh CapPrm CapEff CapAmb SigBlk SigIgn; do
    grep -q "^$set:.0000000000000000" "$work/theirs/status" || fail "$(grep "$set" "$work/theirs/status")"
done
within 5 grep -qx '/here nobody' "$log/own-words.log"
[ "$(stat -c %u%a "$work/s/state/fifo/probe.out" "$work/s/state/fifo/probe.err" "$work/s/run/heartbeats/probe" "$log/probe.log" | tr '\n' ' ')" = "65534600 65534600 65534644 0640 " ] \
    || fail "$(stat -c '%u %a %n' "$work"/s/state/fifo/* "$work"/s/run/heartbeats/*)"
[ "$(stat -c %a "$work/s/run" "$(socket s)" | tr '\n' ' ')" = "711 600 " ] || fail "$(stat -c '%a %n' "$work/s/run" "$(socket s)")"
within 15 is s 's("beater") | .heartbeat.state == "ok" and .restarts == 0'
ask s '/v1/events?since=0' | jq -se 'any(.event == "started" and .service == "probe" and .user == "nobody")' >/dev/null || fail "the event does not name the user"
ok "user, groups, limits, variables; its output and its heartbeat are its own; no capability"

failed() { within 10 is s "s(\"$1\") | .last_exit.cause == \"start-failed\" and .restarts >= 1 and (.last_exit.reason | contains(\"$2\") and contains(\"$3\"))"; }
failed ours "$work/ours" EACCES
failed closed "$work/closed" EACCES
failed busy "$work/busy" ETXTBSY
failed missing /nowhere/at-all ENOENT
failed crowd "cannot execute sleep" "setpriv"
exec 9>&-
ask s '/v1/events?since=0' | jq -se 'any(.event == "hook-missing" and .service == "hooked" and (.reason | contains("ours is not executable for user nobody: EACCES")))' >/dev/null \
    || fail "a hook that its user cannot execute is not told of"
exits 78 "$JSUPERVISE" check "$work/services.yml"
says "command cannot be executed: $work/ours is not executable for user nobody: EACCES" "working directory $work/closed for user nobody: EACCES" \
    "warning: post_stop cannot be executed by now: $work/ours is not executable for user nobody: EACCES"
within 10 is s 's("busy").state == "RUNNING"'
ok "what nobody cannot execute is told with path and errno, and tried again"

# ---- the supervisor dies ------------------------------------------------------------------------------------------------------------
probe=$(value s 's("probe").pid')
crash
[ -d "/proc/$probe" ] || fail "the service died with its supervisor"
# Meanwhile another user is named for it.
sed -i 's/^  own-words: {user: nobody/  own-words: {user: daemon/' "$work/services.yml"
supervise s "$work/services.yml"
is s "s(\"probe\") | .pid == $probe and .adopted and .restarts == 0" >/dev/null || fail "it was not adopted: $(value s 's("probe")')"
[ "$(stat -c %u "$work/s/state/fifo/probe.out")" = 65534 ] || fail "its FIFO is no more its own"
own=$(value s 's("own-words").pid')
kill -KILL "$own"
within 10 is s 's("own-words") | .restarts == 1 and .state == "RUNNING"'
within 5 grep -qx '/here daemon' "$log/own-words.log"
[ "$(stat -c %u "$work/s/state/fifo/own-words.out")" = "$(id -u daemon)" ] || fail "its FIFO did not change hands"
rm -rf "$work/s/run"
beats() { [ "$(stat -c %Y "$work/s/run/heartbeats/beater")" -gt 0 ]; }
within 15 beats
within 15 test -e "$work/s/run/heartbeats/probe"
[ "$(stat -c %u "$work/s/run/heartbeats/probe") $(stat -c %a "$work/s/run")" = "65534 711" ] || fail "its heartbeat file was not made again for it"
is s 's("beater").restarts == 0' >/dev/null || fail "$(value s 's("beater").last_exit')"
kill -KILL "$probe"
within 10 is s "s(\"probe\") | .restarts == 1 and .state == \"RUNNING\" and .pid != $probe"
ok "it is adopted, belongs change hands with the user, and what is cleaned up is made again"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
