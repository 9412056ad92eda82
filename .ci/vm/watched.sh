# What the scenarios of the hardware watchdog share: the device, a supervisor that is watched by it and whose state stays on the disk, and the wait for a
# reset. Read by them, in the virtual machine.
# shellcheck shell=bash
timeout=20
interval=5
device=/sys/class/watchdog/watchdog0
state=/disk/state
run=/run/jsupervise
out=/run/out

ok() { echo "  ok    $*"; }

# A scenario that fails must not be reset before it has said so, and not be followed by another boot.
fail() {
    echo "  FAIL  boot $VM_BOOT: $*"
    echo "  the device is $(attribute state)"
    [ ! -f $out ] || tail -n 30 $out
    [ -z "${pid:-}" ] || kill -CONT "$pid"
    exit 1
}

# The driver, with what its module is told. Its own time is not ours, so that what is read back proves who has set it.
watchdog() {
    /vm/load "$@" || fail "no module $1"
    [ -c /dev/watchdog ] || fail "there is no /dev/watchdog"
}

attribute() { cat "$device/$1"; }

# services: from the standard input, those of the supervisor that is watched.
services() {
    {
        echo "supervisor:"
        echo "  watchdog: {device: /dev/watchdog, timeout: ${timeout}s, interval: ${interval}s, reboot_limit: {count: 2, within: 1h}}"
        echo "services:"
        cat
    } >/run/services.yml
}

# launch: starts one.
launch() {
    : >$out
    supervisor-cli/target/jsupervise/bin/jsupervise run /run/services.yml --state-dir $state --runtime-dir $run >>$out 2>&1 &
    pid=$!
    # The shell is not to tell of its end.
    disown
}

# supervise: starts one, and waits until it has the device.
supervise() {
    launch
    told "watchdog-armed"
}

# told WORDS: waits until the supervisor has told such a line, a pattern.
told() {
    local tries=0
    until grep -q -- "$1" $out; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "it does not tell: $1"
        sleep 1
    done
}

# booted_by CAUSE [EVIDENCE]: what the supervisor says of why the machine booted.
booted_by() {
    told "machine-booted cause=$1 .*${2:-}"
    ok "boot $VM_BOOT: the supervisor tells: $(sed -n 's/^.*\(machine-booted .*\)/\1/p' $out)"
}

# fed_for SECONDS: armed all the time, and no reset. (Not each driver tells how much time is left.)
fed_for() {
    sleep "$1"
    [ "$(attribute state)" = active ] || fail "it is $(attribute state)"
}

# ended: waits until the supervisor is gone.
ended() {
    local tries=0
    while [ -e "/proc/$pid" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "the supervisor does not end"
        sleep 1
    done
}

# answers PATH SECONDS: the code of the answer, which is in /run/answer.
answers() { curl -sS --max-time "$2" --unix-socket $run/control.sock "http://localhost$1" -o /run/answer -w '%{http_code}'; }

# now: for what comes next, and is to be followed by a reset.
now() { acted=$SECONDS; }
acted=0

# reset_follows WHAT: after what was done last; says each second that the machine still lives, and the check outside looks whether it lived too short.
reset_follows() {
    ok "boot $VM_BOOT: $1"
    sync
    while [ $((SECONDS - acted)) -le $((timeout + 2)) ]; do
        echo "  lives $((SECONDS - acted)) s after it"
        sleep 1
    done
    fail "no reset $((timeout + 2)) s after: $1"
}
