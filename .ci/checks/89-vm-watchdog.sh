#!/bin/bash
# A real kernel with a real watchdog, on machines of its own, in QEMU, and the built product watched by it: what resets the machine, what does not, and
# what the next boot knows of it. QEMU says which resets were the device's.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh && . .ci/vm/lib.sh

boot watchdog-hang --watchdog --boots 4
boot watchdog-critical --watchdog --boots 4

# resets NAME DEVICE ALL: how many of them there were, by the device and in all; and none sooner than the timeout (20 s) allows, of which the last feed is at most an
# interval (5 s) old, and two looks of a second.
resets() {
    local by all last
    by=$(grep -c '^vm: WATCHDOG reset' "$work/$1") || true
    all=$(grep -c '^vm: RESET ' "$work/$1") || true
    [ "$by $all" = "$2 $3" ] || { tail -n 150 "$work/$1" >&2 && fail "scenario $1: $all resets, $by of them by the device"; }
    last=$(awk '/^  lives / {last = $2} /^vm: RESET / {print last + 0; last = 0}' "$work/$1" | sort -n | head -n 1)
    [ "$last" -ge 13 ] || { tail -n 150 "$work/$1" >&2 && fail "scenario $1: reset $last s after what was done"; }
}

ended watchdog-hang
resets watchdog-hang 3 3
ended watchdog-critical
# That of softdog is none of the device.
resets watchdog-critical 2 3
ok "each reset came by the timeout: $(awk '/^  lives / {last = $2} /^vm: RESET / {printf "%s s, ", last}' "$work"/watchdog-*) each at the most 22 s after what was done"
