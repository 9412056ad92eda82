#!/bin/bash
# A real systemd runs our unit, in a container of its own: it starts when the supervisor is ready, keeps services over kill -9 and over a hang
# that WatchdogSec ends, reloads, hands over, and leaves nothing after a stop, whatever state the supervisor is in when that comes.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

if [ "$(id -u)" != 0 ] || ! command -v systemd-nspawn >/dev/null || [ ! -x /lib/systemd/systemd ]; then
    skip "a container with systemd takes root, systemd and systemd-container"
    exit 0
fi

# ---- a container on what is installed here, with all changes in memory ----

mkdir "$work/memory"
mount -t tmpfs none "$work/memory" || { skip "no file system may be mounted here" && exit 0; }
mounts+=("$work/memory")
mkdir "$work/memory/upper" "$work/memory/work" "$work/root"
mount -t overlay -o "lowerdir=/,upperdir=$work/memory/upper,workdir=$work/memory/work" none "$work/root" ||
    { skip "no overlay may be mounted here" && exit 0; }
mounts=("$work/root" "${mounts[@]}")
inside=$work/root
rm -rf "$inside/opt/jsupervise" "$inside/etc/jsupervise" "$inside/var/lib/jsupervise" "$inside/run/jsupervise"
mkdir -p "$inside/opt" "$inside/etc/jsupervise" "$inside/etc/systemd/system"
cp -a "$(dirname "$(dirname "$JSUPERVISE")")" "$inside/opt/jsupervise"
sed 's/^WatchdogSec=.*/WatchdogSec=3/; s/^TimeoutStopSec=.*/TimeoutStopSec=5/; s/ %n 10$/ %n 1/' systemd/jsupervise.service >"$inside/etc/systemd/system/jsupervise.service"

cat >"$inside/etc/jsupervise/services.yml" <<'YML'
services:
  steady: {command: sleep 1000}
  stubborn: {command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"], stop_timeout: 1s}
  tells: {command: [sh, -c, "env >/env; exec sleep 1000"]}
YML
cat >"$inside/etc/systemd/system/check.target" <<'UNIT'
[Unit]
Requires=check.service
UNIT
cat >"$inside/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=basic.target
Wants=basic.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash /check.sh
StandardOutput=append:/result
StandardError=append:/result
TimeoutStartSec=120
UNIT

cat >"$inside/check.sh" <<'INSIDE'
set -uo pipefail
J=/opt/jsupervise/bin/jsupervise
ok() { echo "  ok    $*"; }
fail() { echo "  FAIL  $*"; systemctl status --no-pager --lines=40 jsupervise; journalctl --no-pager -n 60 2>/dev/null; exit 1; }
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -le "$end" ] || fail "not in time: $*"
        sleep 0.05
    done
}
main() { systemctl show -p MainPID --value jsupervise; }
active() { [ "$(systemctl show -p ActiveState --value jsupervise)" = active ]; }
inactive() { [ "$(systemctl show -p ActiveState --value jsupervise)" = inactive ]; }
another_than() { active && [ "$(main)" != "$1" ] && [ "$(main)" != 0 ]; }
pid_of() { "$J" status --json "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
all_up() { [ "$("$J" status --json | grep -o '"state":"[A-Z]*"' | sort -u)" = '"state":"RUNNING"' ]; }
marked() { grep -lsz '^JSUPERVISE_RUN_ID=' /proc/[0-9]*/environ | cut -d/ -f3; }
none_left() { [ -z "$(marked)" ]; }
same() { [ "$(pid_of steady) $(pid_of stubborn) $(pid_of tells)" = "$1" ]; }
pids() { echo "$(pid_of steady) $(pid_of stubborn) $(pid_of tells)"; }

systemctl start jsupervise || fail "start"
"$J" status >/dev/null || fail "the control socket does not answer when the start has ended"
within 20 all_up
ok "systemctl start ends when the supervisor answers"
within 8 sh -c 'systemctl show -p StatusText --value jsupervise | grep -q "3 services: 3 RUNNING"'
ok "systemctl status shows: $(systemctl show -p StatusText --value jsupervise)"
! grep -E '^(NOTIFY_SOCKET|WATCHDOG_(USEC|PID))=' /env || fail "what is between systemd and us reached a service"
ok "services see nothing of the socket to systemd"

before=$(pids)
old=$(main)
began=$(date +%s%N)
kill -KILL "$old"
within 20 another_than "$old"
ok "killed with -9, another is ready after $((($(date +%s%N) - began) / 1000000)) ms"
same "$before" || fail "services have changed: $before, now $(pids)"
ok "all services have kept their pids"

old=$(main)
sleep 4
[ "$(main)" = "$old" ] || fail "systemd took a supervisor for dead that lives"
kill -STOP "$old"
began=$(date +%s%N)
within 20 another_than "$old"
ok "stopped with SIGSTOP, another is ready after $((($(date +%s%N) - began) / 1000000)) ms (WatchdogSec=3)"
same "$before" || fail "services have changed over a hang: $before, now $(pids)"
ok "all services have kept their pids over the hang"

echo '  more: {command: sleep 1000}' >>/etc/jsupervise/services.yml
old=$(main)
systemctl reload jsupervise || fail "reload"
[ -n "$(pid_of more)" ] && [ "$(main)" = "$old" ] && same "$before" || fail "reload did not add a service"
systemctl kill --kill-who=main -s HUP jsupervise
within 5 sh -c 'systemctl show -p StatusText --value jsupervise | grep -q "4 services"'
active || fail "not active after a reload"
ok "systemctl reload takes the new file, and the unit stays active"

old=$(main)
"$J" shutdown --leave-running >/dev/null || fail "hand-over"
within 20 another_than "$old"
same "$before" || fail "services have changed over a hand-over"
ok "a hand-over starts the next supervisor, and services run on"

! journalctl --no-pager -u jsupervise | grep -F "the keeper of the supervisor before" || fail "what the supervisor before had left could not be taken over"
ok "each supervisor goes on with the keeper of the one before"

systemctl stop jsupervise || fail "stop"
! journalctl --no-pager -u jsupervise | grep "did not end in order" || fail "swept after a stop in order"
inactive || fail "not inactive after a stop"
none_left || fail "left after a stop: $(marked)"
ok "systemctl stop leaves nothing"

systemctl start jsupervise || fail "start again"
within 20 all_up
# systemd continues what it wants to end, so once is not enough.
hung=$(main)
(while kill -STOP "$hung" 2>/dev/null; do sleep 0.01; done) &
began=$SECONDS
systemctl stop jsupervise
[ $((SECONDS - began)) -ge 3 ] || fail "it did not hang"
none_left || fail "left after a stop of a supervisor that hung: $(marked)"
ok "a stop of a supervisor that hangs leaves nothing"
systemctl reset-failed jsupervise 2>/dev/null

gaps=0
for i in 1 2 3 4; do
    systemctl start jsupervise || fail "start $i"
    kill -KILL "$(main)"
    sleep "0.0$((i * 2))"
    case $(systemctl show -p SubState --value jsupervise) in running) ;; *) gaps=$((gaps + 1)) ;; esac
    systemctl stop jsupervise
    none_left || fail "left after a stop in the gap between a crash and the restart (try $i): $(marked)"
    systemctl reset-failed jsupervise 2>/dev/null
done
[ "$gaps" -ge 1 ] || fail "$gaps of 4 stops came in the gap"
ok "a stop in the gap between a crash and the restart leaves nothing ($gaps of 4 hit it)"

systemctl start jsupervise || fail "start after all"
"$J" shutdown >/dev/null
within 20 inactive
sleep 1
inactive && none_left || fail "it came back after a shutdown that was asked for"
ok "after a shutdown that was asked for it stays down"

echo 'nonsense: true' >>/etc/jsupervise/services.yml
systemctl start jsupervise 2>/dev/null && fail "started with a file that is wrong"
sleep 1
[ "$(systemctl show -p NRestarts --value jsupervise)" = 0 ] || fail "tried again with a file that is wrong"
[ "$(systemctl show -p ExecMainStatus --value jsupervise)" = 78 ] || fail "not ended with 78"
ok "a file that is wrong is refused once (78)"
echo all-passed
INSIDE

# ---- its run ----

# systemd-nspawn leaves groups below the one that it was started in.
group=/sys/fs/cgroup
[ ! -d /sys/fs/cgroup/systemd ] || group=/sys/fs/cgroup/systemd
own=$group$(sed -n 's/^\([0-9]*:name=systemd\|0:\)://p' /proc/self/cgroup | head -n 1)/jsupervise-check-$$
mkdir -p "$own" 2>/dev/null || { skip "no control group may be made here" && exit 0; }
status=0
(
    echo 0 >"$own/cgroup.procs"
    # The filter of the container knows nothing of pidfd_getfd(2), which a unit outside of one may call.
    exec timeout -k 5 200 systemd-nspawn --quiet --system-call-filter=pidfd_getfd --boot --register=no --keep-unit -D "$inside" --console=read-only systemd.unit=check.target
) </dev/null >"$work/console" 2>&1 || status=$?
find "$own" -depth -type d -exec rmdir {} + 2>/dev/null || true
if [ ! -s "$inside/result" ]; then
    tail -n 20 "$work/console" >&2
    skip "systemd does not boot in a container here ($status)"
    exit 0
fi
grep -v '^all-passed$' "$inside/result"
grep -q '^all-passed$' "$inside/result" || fail "not all of it passed"
