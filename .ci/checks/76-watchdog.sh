#!/bin/bash
# The hardware watchdog as the supervisor sees it: what may be one, what is written to it, and what is not when a critical service is lost. A FIFO stands
# in for the device; what a real one does is tried in the virtual machine.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<END
supervisor:
  watchdog: {device: $work/device, timeout: 2s, interval: 200ms}
defaults: {backoff: {initial: 50ms, max: 50ms}, ready: {delay: 50ms}, stop_timeout: 1s}
services:
  steady: {command: sleep 1000}
END

# refused CODE WORDS OPTION..: the start is refused with such words.
refused() {
    local code=$1 words=$2 status=0
    shift 2
    timeout 30 "$JSUPERVISE" run "$work/services.yml" --state-dir "$work/no/state" --runtime-dir "$work/no/run" "$@" \
        >"$work/said" 2>&1 || status=$?
    [ "$status" = "$code" ] || { cat "$work/said" && fail "ended with $status, not $code"; }
    grep -q "$words" "$work/said" || { cat "$work/said" && fail "does not say: $words"; }
    no_service_left || fail "something was started"
}
refused 74 "ENOENT"
[ ! -e "$work/device" ] || fail "a file was made where there is no device"
echo content >"$work/file"
refused 74 "which is a regular file and no watchdog" --watchdog "$work/file"
[ "$(cat "$work/file")" = content ] || fail "a regular file was written to"
refused 74 "which is a directory and no watchdog" --watchdog "$work"
ok "no device, a regular file and a directory are refused, and nothing is made"

mkfifo "$work/device"
# What came, with a line for each time that it was closed. One process, so that none is left when it is killed.
cat >"$work/reader.py" <<'PY'
import sys
while True:
    with open(sys.argv[1], "rb", buffering=0) as device, open(sys.argv[2], "ab", buffering=0) as came:
        while True:
            some = device.read(4096)
            came.write(some or b" closed\n")
            if not some:
                break
PY
touch "$work/came"
python3 "$work/reader.py" "$work/device" "$work/came" >/dev/null 2>&1 &
pids+=($!)
fed_on() {
    local before
    before=$(stat -c %s "$work/came")
    sleep 0.5
    [ "$(stat -c %s "$work/came")" -gt "$before" ]
}
supervise w "$work/services.yml"
within 10 fed_on
is w '.supervisor.watchdog | .state == "armed" and .timeout_ms == null and .interval_ms == 200' >/dev/null || fail "the status: $(value w .supervisor.watchdog)"
ok "fed, and shown in the status"

kill -STOP "$pid"
sleep 0.3
! fed_on || fail "fed though the loop does not turn"
kill -CONT "$pid"
within 5 fed_on
ok "not fed while the loop does not turn"

kill -TERM "$pid"
within 15 gone "$pid"
within 5 grep -q '^k*V closed$' "$work/came"
ok "an end in order disarms it: the last byte is V"

supervise w "$work/services.yml"
within 10 fed_on
kill -KILL "$pid"
within 5 sh -c "tail -n 1 '$work/came' | grep -q '^k* closed\$'"
supervise w "$work/services.yml"
within 10 fed_on
ctl w shutdown --leave-running >/dev/null
within 15 gone "$pid"
[ "$(grep -c V "$work/came")" = 1 ] || fail "disarmed by a kill or a hand-over: $(cat "$work/came")"
ok "kill -9 and a hand-over leave it armed"

cat >>"$work/services.yml" <<END
  lost: {command: [sh, -c, "sleep 0.1; exit 7"], critical: true, start_limit: {count: 1, within: 1m}}
END
supervise w "$work/services.yml"
within 15 is w '.supervisor.watchdog.state == "withheld"'
recorded() { grep -q '"feed_withheld":{"service":"lost","reason":"' "$work/w/state/journal/@supervisor.json"; }
recorded || fail "withheld without a record"
! fed_on || fail "fed though it says that it is withheld"
grep -q 'WARN.*watchdog-withheld critical=lost' "$work/w/out" || fail "not told at WARN"
ok "a critical service that is given up withholds the feed, and the journal has it"

kill -KILL "$pid"
within 5 gone "$pid"
supervise w "$work/services.yml"
within 15 is w '.supervisor.watchdog.state == "withheld"'
ok "so it does with the next supervisor"

ctl w stop lost >/dev/null
within 5 fed_on
within 5 is w '.supervisor.watchdog.state == "armed"'
not_recorded() { ! recorded; }
within 5 not_recorded
ok "an operator's stop has it fed again"

# As if the machine had been reset: another boot id in what is found.
kill -KILL "$pid"
within 5 gone "$pid"
no_watch="$work/w/state/journal/@supervisor.json"
jq -c '.boot_id = "00000000-0000-4000-8000-000000000001" | .feed_withheld = {service: "lost", reason: "gone", since_mono_ns: 60000000000, since: "2026-01-31T12:00:00Z"} | .boot = {cause: "watchdog", evidence: "-", resets: 2}' "$no_watch" >"$work/record"
cp "$work/record" "$no_watch"
ctl w status >/dev/null 2>&1 || true
supervise w "$work/services.yml"
within 10 is w '.supervisor.watchdog.boot | .cause == "watchdog" and .resets == 3'
grep -q 'machine-booted cause=watchdog' "$work/w/out" || fail "no event tells why the machine booted"
ok "the boot after a reset tells why, and counts"
ctl w start lost --no-wait >/dev/null
within 15 is w 's("lost") | .state == "FATAL"'
within 10 is w '.supervisor.watchdog.limit_reached'
within 10 grep -q 'WARN.*reboot-limit-reached critical=lost' "$work/w/out"
fed_on || fail "not fed though the limit is reached"
ok "after reboot_limit resets it is fed whatever is lost"
kill -TERM "$pid"
within 15 gone "$pid"

# ---- watchdog(8) ----

if command -v watchdog >/dev/null && [ "$(id -u)" = 0 ]; then
    sed -e "s,^file = .*,file = $work/d/run/heartbeat," -e 's/^change = .*/change = 4/' -e 's/^interval = .*/interval = 1/' \
        -e 's/^retry-timeout = .*/retry-timeout = 1/' systemd/watchdog.conf >"$work/watchdog.conf"
    # No device, no log of its own, no action.
    printf 'watchdog-device =\nlog-dir = %s\nrealtime = no\nrepair-maximum = 0\n' "$work" >>"$work/watchdog.conf"
    cat >"$work/watched.yml" <<END
supervisor: {heartbeat: {interval: 1s}}
services: {steady: {command: sleep 1000}}
END
    supervise d "$work/watched.yml"
    within 5 test -e "$work/d/run/heartbeat"
    watchdog --foreground --no-action --verbose --config-file "$work/watchdog.conf" >"$work/dog" 2>&1 &
    dog=$!
    pids+=("$dog")
    sleep 7
    ! gone "$dog" || { cat "$work/dog" && fail "watchdog(8) has ended"; }
    complaints() { grep -E "was not changed|cannot|[Ss]hutting|error [0-9]|Retry timed" "$work/dog"; }
    ! complaints || fail "watchdog(8) complains of a supervisor that works"
    kill -STOP "$pid"
    within 20 complaints
    kill -CONT "$pid"
    ok "watchdog(8) is quiet while we run, and notices a hang: $(complaints | head -n 1 | cut -c1-90)"
    kill -TERM "$dog" 2>/dev/null || true
else
    skip "watchdog(8) is not here"
fi
