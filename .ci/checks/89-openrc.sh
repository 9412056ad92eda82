#!/bin/bash
# OpenRC runs our script, in a file system and a process tree of its own: start, crash, reload, stop. The package is unpacked there and not
# installed here, where another init system lives.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    skip "OpenRC in a place of its own takes root and apt-get"
    exit 0
fi
mkdir "$work/memory"
mount -t tmpfs none "$work/memory" || { skip "no file system may be mounted here" && exit 0; }
mounts+=("$work/memory")
mkdir "$work/memory/upper" "$work/memory/work" "$work/memory/packages" "$work/root"
(cd "$work/memory/packages" && timeout 100 apt-get -qq -o APT::Sandbox::User="$(id -un)" download openrc libeinfo1 librc1) >"$work/said" 2>&1 ||
    { skip "there is no openrc to be had: $(tail -n 1 "$work/said")" && exit 0; }
mount -t overlay -o "lowerdir=/,upperdir=$work/memory/upper,workdir=$work/memory/work" none "$work/root" ||
    { skip "no overlay may be mounted here" && exit 0; }
mounts=("$work/root" "${mounts[@]}")
inside=$work/root
# Not over links: /lib and /sbin are some.
for package in "$work"/memory/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$inside" -x --keep-directory-symlink
done
rm -rf "$inside/opt/jsupervise" "$inside/etc/jsupervise" "$inside/var/lib/jsupervise" "$inside/run/jsupervise"
mkdir -p "$inside/opt" "$inside/etc/jsupervise" "$inside/etc/init.d"
cp -a "$(dirname "$(dirname "$JSUPERVISE")")" "$inside/opt/jsupervise"
# Debian's OpenRC reads it each time.
: >"$inside/etc/insserv.conf"
install -m 755 systemd/jsupervise.openrc "$inside/etc/init.d/jsupervise"
cat >"$inside/etc/jsupervise/services.yml" <<'YML'
services:
  steady: {command: sleep 1000}
  other: {command: sleep 1001}
YML

cat >"$inside/check.sh" <<'INSIDE'
set -uo pipefail
J=/opt/jsupervise/bin/jsupervise
ok() { echo "  ok    $*"; }
fail() { echo "  FAIL  $*"; ps -ef; cat /var/log/jsupervise.log; exit 1; }
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -le "$end" ] || fail "not in time: $*"
        sleep 0.1
    done
}
pid_of() { "$J" status --json "$1" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
main() { pgrep -f 'jsupervise.jar run'; }
another_than() { [ -n "$(main)" ] && [ "$(main)" != "$1" ] && "$J" status; }
none_left() { [ -z "$(grep -lsz '^JSUPERVISE_RUN_ID=' /proc/[0-9]*/environ)" ] && [ -z "$(main)" ]; }

mount -t proc proc /proc
mount -t tmpfs run /run
# As its own start does it.
mkdir -p /run/openrc/{daemons,exclusive,failed,hotplugged,inactive,init.d,options,prefetch,scheduled,started,starting,stopping,tmp,wasinactive}
touch /run/openrc/softlevel
rc-service jsupervise start || fail "start"
rc-service jsupervise status || fail "status"
before="$(pid_of steady) $(pid_of other)"
[ "$before" != " " ] || fail "services are not started"
ok "rc-service start ends when the supervisor answers"
old=$(main)
kill -KILL "$old"
within 30 another_than "$old"
[ "$(pid_of steady) $(pid_of other)" = "$before" ] || fail "services have changed over a crash"
ok "killed with -9, it is started again, and services keep their pids"
echo '  more: {command: sleep 1002}' >>/etc/jsupervise/services.yml
rc-service jsupervise reload || fail "reload"
[ -n "$(pid_of more)" ] || fail "reload did not add a service"
ok "rc-service reload takes the new file"
rc-service jsupervise stop || fail "stop"
sleep 2
none_left || fail "left after a stop"
ok "rc-service stop leaves nothing"
echo 'nonsense: true' >>/etc/jsupervise/services.yml
! rc-service jsupervise start 2>/dev/null || fail "started with a file that is wrong"
none_left || fail "it runs with a file that is wrong"
ok "a file that is wrong is refused"
echo all-passed
INSIDE

# The end of its process 1 ends all of them.
timeout -k 5 150 unshare --mount --pid --fork --kill-child chroot "$inside" /bin/bash /check.sh >"$work/result" 2>&1 </dev/null || true
grep -v '^all-passed$' "$work/result" || true
grep -q '^all-passed$' "$work/result" || fail "not all of it passed"
