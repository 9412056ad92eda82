#!/bin/bash
# Disks that break while services run: a file system that turns read-only after an error, one that answers everything with EIO, and one that
# is read-only when the supervisor is started again. Services stay supervised, and everybody is told.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cannot() {
    skip "BROKEN DISKS WERE NOT TRIED: $*"
    exit 0
}

[ "$(id -u)" = 0 ] || cannot "only root may mount"
command -v mkfs.ext4 >/dev/null || PATH=$PATH:/usr/sbin:/sbin
command -v mkfs.ext4 >/dev/null || cannot "there is no mkfs.ext4 (package e2fsprogs)"

# disk NAME: the supervisor of that name has its state on an ext4 of its own.
disk() {
    mkdir -p "$work/$1/state"
    truncate -s 16M "$work/$1.img"
    mkfs.ext4 -q -F "$work/$1.img"
    mount -o loop,errors=remount-ro "$work/$1.img" "$work/$1/state" 2>"$work/why" || cannot "no loop device can be mounted here: $(cat "$work/why")"
    mounts+=("$work/$1/state")
}

cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  quiet: {command: sleep 1000}
  other: {command: sleep 2000, log: none}
  talker: {shell: true, command: 'n=0; while :; do n=\$((n+1)); echo "line \$n"; echo \$n >$work/progress; sleep 0.02; done', log: {max_files: 0}}
END

progress() { cat "$work/progress" 2>/dev/null || echo 0; }
advanced() { [ "$(progress)" -ge $((before + 100)) ]; }

# survives NAME ERRNO: everything goes on though nothing can be written any more.
survives() {
    local name=$1 errno=$2 one
    for one in quiet other; do
        kill -KILL "$(value "$name" "s(\"$one\").pid")"
        within 10 is "$name" "s(\"$one\") | .restarts == 1 and .state == \"RUNNING\""
    done
    within 10 is "$name" ".supervisor.journal | .state == \"stale\" and .errno == \"$errno\" and (.reason | test(\"$errno\")) and .since != null"
    [ "$(ask "$name" /v1/health -o "$work/health" -w '%{http_code}')" = 503 ] || fail "health is well: $(cat "$work/health")"
    jq -e ".error.message | test(\"journal is stale.*$errno\")" "$work/health" >/dev/null || fail "health does not say why: $(cat "$work/health")"
    exits 0 ctl "$name" status
    says "the journal is stale since" "$errno"
    ok "$errno: services are restarted; status and health say that the journal is stale, and why"
    exits 0 ctl "$name" stop quiet
    says "not recorded"
    is "$name" 's("quiet").state == "STOPPED"' >/dev/null || fail "it was not stopped"
    exits 0 ctl "$name" start quiet
    ok "$errno: operators are served, and told that it is not recorded"
    before=$(progress)
    within 30 advanced
    ok "$errno: a talking service is not held up"
}

# ---- turned read-only by the kernel, as errors=remount-ro has it ----
disk ro
trigger=/sys/fs/ext4/$(basename "$(findmnt -n -o SOURCE "$work/ro/state")")/trigger_fs_error
if [ -w "$trigger" ]; then
    supervise ro "$work/services.yml"
    within 10 is ro '[.services[].state] | all(. == "RUNNING")'
    echo "a test" >"$trigger"
    survives ro EROFS
    kill -TERM "$pid"
    ends "$pid" 0 20
    ok "EROFS: the supervisor ends in order all the same"
    nothing_left || fail "left behind: $(bearers)"
else
    skip "a file system cannot be told here to turn read-only"
fi

# ---- a disk that is gone ----
disk io
supervise io "$work/services.yml"
within 10 is io '[.services[].state] | all(. == "RUNNING")'
python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))  # FS_IOC_SHUTDOWN' "$work/io/state"
survives io EIO
kill -TERM "$pid"
ends "$pid" 0 20
ok "EIO: the supervisor ends in order all the same"
nothing_left || fail "left behind: $(bearers)"

# ---- read-only when it is started again: services of the one that was killed run on, and are not lost ----
disk again
supervise again "$work/services.yml"
within 10 is again '[.services[].state] | all(. == "RUNNING")'
running=$(value again 's("other").pid')
crash
mount -o remount,ro "$work/again/state"
exits 74 "$JSUPERVISE" run "$work/services.yml" --state-dir "$work/again/state" --runtime-dir "$work/again/run"
says "$work/again/state" EROFS
gone "$running" && fail "the refused start ended a service"
mount -o remount,rw "$work/again/state"
supervise again "$work/services.yml"
within 20 is again '[.services[].state] | all(. == "RUNNING")'
[ "$(bearers | wc -l)" -le 5 ] || fail "something runs twice: $(bearers)"
ok "a start on a read-only disk is refused, and the services of the last supervisor are taken over once it can be written"
kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
