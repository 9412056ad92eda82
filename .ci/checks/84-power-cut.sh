#!/bin/bash
# The power fails while the journal is written: a file system in an image is shut down without being flushed, at random moments, and mounted
# again. What must be there afterwards, and how it is known, is told in power_cut.py.
# A dozen cuts; JSUPERVISE_POWER_CUTS=200 for more, JSUPERVISE_SEED=N for the moments of another run.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cannot() {
    skip "POWER CUTS WERE NOT TRIED: $*"
    exit 0
}

[ "$(id -u)" = 0 ] || cannot "only root may mount"
command -v mkfs.ext4 >/dev/null || PATH=$PATH:/usr/sbin:/sbin
command -v mkfs.ext4 >/dev/null || cannot "there is no mkfs.ext4 (package e2fsprogs)"
mkdir -p "$work/d/state"
truncate -s 64M "$work/disk.img"
mkfs.ext4 -q -F "$work/disk.img"
mount -o loop "$work/disk.img" "$work/d/state" 2>"$work/why" || cannot "no loop device can be mounted here: $(cat "$work/why")"
umount "$work/d/state"
# Is undone however the check ends, and however often it is mounted by then.
mounts+=("$work/d/state")

seed=${JSUPERVISE_SEED:-$RANDOM}
python3 .ci/checks/power_cut.py "$JSUPERVISE" "$work" "${JSUPERVISE_POWER_CUTS:-12}" "$seed" \
    || fail "a power cut broke a promise; again with JSUPERVISE_SEED=$seed"
mounts=()
nothing_left || fail "left behind: $(bearers)"
