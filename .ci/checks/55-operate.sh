#!/bin/bash
# The command line on a living and on a dead supervisor: what is asked for is done, told and recorded, with the exit code that belongs to it.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}, ready: {delay: 100ms}}
services:
  web: {command: [sleep, "1000"], environment: {TOKEN: s3cret-v4lue}}
  manual: {command: sleep 1001, autostart: false}
  slow: {shell: true, command: 'trap "" TERM; echo set; while :; do sleep 0.2; done', stop_timeout: 4s}
  trapper: {shell: true, command: 'trap "echo got-usr1" USR1; echo set; while :; do sleep 0.1; done'}
END
exits 0 "$JSUPERVISE" check "$work/services.yml"
says web manual slow trapper "sleep 1000"
nothing_left || fail "check starts services"
ok "check tells what would run, and runs nothing"

supervise o "$work/services.yml"
within 10 is o 's("web").state == "RUNNING" and s("slow").state == "RUNNING" and s("trapper").state == "RUNNING"'

# ---- status -----------------------------------------------------------------------------------------------------------------------
exits 0 ctl o status web
says RUNNING
exits 3 ctl o status manual
says STOPPED
exits 4 ctl o status wbe
says wbe 'did you mean "web"'
exits 0 ctl o status --json
jq -e '(.supervisor | .name == "default" and .pid > 0 and .uptime_ms >= 0 and (.started_at | endswith("Z")) and has("version") and has("config")
        and has("state_dir") and .journal.state == "ok")
    and (.services | map(.name) | sort == ["manual", "slow", "trapper", "web"])
    and (.services[] | select(.name == "web")
        | .wanted == "up" and .ready and .pid > 0 and .restarts == 0 and .adopted == false and .last_exit == null and .heartbeat == null
        and .next_start_at == null and .backoff_ms == null and (.since | endswith("Z")) and .uptime_ms >= 0 and (.run_id | length > 0)
        and .spec_changed == false and .waiting_for == [] and .log.dropped_bytes == 0 and .description == null)' "$work/said" >/dev/null \
    || { cat "$work/said" >&2 && fail "status --json is not what is documented"; }
ok "status: table, exit codes, JSON"

timeout -s INT 4 env --default-signal=INT "$JSUPERVISE" --socket "$(socket o)" status --watch >"$work/watched" 2>&1 </dev/null || true
[ "$(grep -c '^NAME' "$work/watched")" -ge 2 ] || { cat "$work/watched" >&2 && fail "status --watch shows it once only"; }
ok "status --watch shows it again and again"

# ---- start, stop, restart, signal -------------------------------------------------------------------------------------------------
exits 0 ctl o start manual
is o 's("manual") | .state == "RUNNING" and .wanted == "up"' >/dev/null || fail "start did not start"
exits 0 ctl o stop manual
is o 's("manual") | .state == "STOPPED" and .wanted == "down" and .pid == null and .last_exit.cause == "operator"' >/dev/null \
    || fail "stop did not stop: $(value o 's("manual")')"
old=$(value o 's("web").pid')
exits 0 ctl o restart web
is o "s(\"web\") | .state == \"RUNNING\" and .pid != $old and .restarts == 0" >/dev/null || fail "restart: $(value o 's("web")')"
gone "$old" || fail "the restarted web still runs"
ok "start, stop and restart wait until it is done, and count for nothing"

exits 1 ctl o stop slow --timeout 1s
is o 's("slow").state == "STOPPING"' >/dev/null || fail "slow is not being stopped"
within 10 is o 's("slow") | .state == "STOPPED" and .last_exit.signal == "SIGKILL"'
exits 0 ctl o start slow
started=$SECONDS
exits 0 ctl o stop slow --no-wait
[ $((SECONDS - started)) -le 3 ] || fail "--no-wait waited"
within 10 is o 's("slow").state == "STOPPED"'
ok "--timeout ends with 1 and the stop goes on; --no-wait does not wait"

exits 0 ctl o signal USR1 trapper
within 5 grep -q got-usr1 "$work/o/state/logs/trapper.log"
exits 4 ctl o signal USR1 traper
exits 4 ctl o start nobody
is o 's("trapper") | .state == "RUNNING" and .restarts == 0' >/dev/null || fail "the signal ended it"
ok "signal"

exits 0 ctl o stop --all
is o '[.services[] | select(.state == "STOPPED")] | length == 4' >/dev/null || fail "stop --all left some"
no_service_left || fail "left after stop --all: $(bearers)"
exits 0 ctl o start --all
is o '[.services[] | select(.state == "RUNNING")] | length == 4' >/dev/null || fail "start --all missed some"
ok "--all"

# ---- events -----------------------------------------------------------------------------------------------------------------------
exits 0 ctl o events
jq -se 'length > 10 and (map(.seq) | . == sort and (unique | length) == length) and all(.at | endswith("Z"))' "$work/said" >/dev/null \
    || fail "events have no order"
jq -se 'map(select(.event == "supervisor-started")) | length == 1 and (.[0] | has("host") and has("boot_id"))' "$work/said" >/dev/null \
    || fail "no record of the supervisor's start"
jq -se 'map(select(.event == "started" and .service == "web")) | length == 3 and (.[0]
    | .argv == ["sleep", "1000"] and has("working_dir") and has("user") and .pid > 0 and (.run_id | length > 0)
    and (.environment | index("TOKEN") != null and index("PATH") != null))' "$work/said" >/dev/null \
    || { grep '"started"' "$work/said" >&2; fail "the record of a start is not complete"; }
! grep -rq s3cret-v4lue "$work/said" "$work/o/state" "$work/o/out" || fail "the value of a variable is told"
last=$(jq -s 'map(.seq) | max' "$work/said")
exits 0 ctl o restart web
exits 0 ctl o events --since "$last"
jq -se "length > 0 and all(.seq > $last) and any(.service == \"web\")" "$work/said" >/dev/null || fail "events --since $last"
grep -q "\"by_uid\": *$(id -u)" "$work/said" || { cat "$work/said" >&2 && fail "who asked is not recorded"; }
ok "events: complete records of starts, names but no values of variables, who asked, --since"

"$JSUPERVISE" --socket "$(socket o)" events -f >"$work/followed" &
follower=$!
pids+=("$follower")
# History first, so that it is connected for certain.
within 10 grep -q supervisor-started "$work/followed"
old=$(value o 's("web").pid')
kill -KILL "$old"
within 5 grep -q '"SIGKILL"' "$work/followed"
kill -TERM "$follower"
ok "events -f tells of a death when it happens"

# ---- others -----------------------------------------------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ]; then
    cp -a "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
    chmod 755 "$work" "$work/o"
    exits 77 "${nobody[@]}" "$work/app/bin/jsupervise" --socket "$(socket o)" stop web
    is o 's("web").state == "RUNNING" or s("web").state == "STARTING"' >/dev/null || fail "nobody has stopped web"
    ok "somebody else may not: 77"
else
    skip "another user needs root"
fi

within 10 is o 's("web").state == "RUNNING"'
crash
exits 0 "$JSUPERVISE" --socket "$work/o/run/control.sock" status --state-dir "$work/o/state"
says web RUNNING
exits 0 "$JSUPERVISE" --socket "$work/o/run/control.sock" logs trapper --state-dir "$work/o/state"
says got-usr1
exits 0 "$JSUPERVISE" --socket "$work/o/run/control.sock" events --state-dir "$work/o/state"
says supervisor-started
exits 69 "$JSUPERVISE" --socket "$work/o/run/control.sock" stop web
ok "status, logs and events of a dead supervisor from its state_dir; to act takes a living one: 69"

supervise o "$work/services.yml"
exits 0 ctl o shutdown
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
ok "shutdown"
