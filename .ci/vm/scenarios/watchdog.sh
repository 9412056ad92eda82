#!/bin/bash
# On a kernel of its own, with a hardware watchdog (.ci/vm/run --watchdog --boots 2): what this machinery has to give before a supervisor can be tried with
# it. Somebody opens /dev/watchdog, beats once and dies without the word that disarms; the machine is reset, the disk stays, and the next boot reads
# from the device why it was.
device=/sys/class/watchdog/watchdog0
fail() {
    echo "  FAIL  watchdog: $*"
    exit 1
}

/vm/load i6300esb heartbeat=20 || fail "no module"
[ -c /dev/watchdog ] || fail "there is no /dev/watchdog"
grep -q i6300 "$device/identity" || fail "it is a $(cat "$device/identity")"

case $VM_BOOT in
1)
    [ "$(cat "$device/bootstatus")" = 0 ] || fail "a first boot, and bootstatus is $(cat "$device/bootstatus")"
    [ "$(cat "$device/timeout")" = 20 ] || fail "timeout is $(cat "$device/timeout")"
    # 'V' before the end disarms: no reset follows.
    echo -n V >/dev/watchdog
    sleep 100
    [ "$(cat "$device/state")" = inactive ] || fail "it is $(cat "$device/state") after it was disarmed"
    echo "  ok    who writes V before it closes the device disarms it"
    echo kept >/disk/note
    sync
    # An end of process without V, as by kill -9: armed, and nobody feeds it.
    { sh -c 'exec 3>/dev/watchdog; echo -n . >&3; kill -KILL $$'; } 2>/dev/null
    [ "$(cat "$device/state")" = active ] || fail "it is $(cat "$device/state") after its owner was killed"
    echo "  ok    whose owner was killed stays armed ($(cut -d' ' -f1 /proc/uptime) s)"
    sleep 100
    fail "no reset within 100 s, of 20"
    ;;
2)
    # WDIOF_CARDRESET of linux/watchdog.h.
    [ "$(cat "$device/bootstatus")" = 32 ] || fail "after the reset bootstatus is $(cat "$device/bootstatus")"
    [ "$(cat /disk/note)" = kept ] || fail "the disk has lost its note"
    echo "  ok    after the reset the device says that it was its doing, and the disk is as it was"
    ;;
esac
