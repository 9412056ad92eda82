#!/bin/bash
# A real systemd delegates the group of a unit (Delegate=yes) to a supervisor that is no root: its services have groups below that of the unit, are
# left alone when the supervisor is killed, are adopted by the next one, and end whole. systemd runs in a container that sees this machine's files
# through an overlay, so nothing of what it does stays.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

[ "$(id -u)" = 0 ] || { skip "a container takes root" && exit 0; }
command -v systemd-nspawn >/dev/null || { skip "systemd-nspawn is not here" && exit 0; }
[ -z "${VM:-}" ] || { skip "not in the virtual machine" && exit 0; }
mounted=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$mounted" ] || { skip "no control groups of version 2 are mounted" && exit 0; }
group=$mounted$(sed -n 's/^0:://p' /proc/self/cgroup)
group=${group%/}/jsupervise-nspawn-$$
mkdir "$group" 2>"$work/said" || { skip "no group can be made: $(cat "$work/said")" && exit 0; }
# The container leaves groups of its own behind.
trap 'code=$?; find "$group" -depth -type d -exec rmdir {} \; || true; set +e; (exit "$code"); finish' EXIT

mkdir "$work/box"
mount -t tmpfs -o size=300m box "$work/box" 2>"$work/said" || { skip "nothing can be mounted: $(cat "$work/said")" && exit 0; }
mounts=("$work/box")
mkdir "$work"/box/{upper,scratch,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/box/upper,workdir=$work/box/scratch" "$work/box/root" 2>"$work/said" \
    || { skip "no overlay of /: $(cat "$work/said")" && exit 0; }
mounts=("$work/box/root" "$work/box")
box=$work/box/root

units=$box/etc/systemd/system
rm -rf "$units/multi-user.target.wants"
mkdir -p "$box/opt/try" "$units/multi-user.target.wants"
chmod 777 "$box/opt/try"
cp -r "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$box/opt/try/app"
chmod -R a+rX "$box/opt/try/app"
cat >"$box/opt/try/services.yml" <<'YML'
defaults: {ready: {delay: 0s}, working_dir: /}
services:
  hides:
    shell: true
    command: (env -i setsid /bin/sh -c 'echo $$ >/opt/try/hidden; exec sleep 3600' >/dev/null 2>&1 &); exec sleep 1000
    resources: {}
YML
cat >"$units/supervised.service" <<'UNIT'
[Service]
User=daemon
Environment=HOME=/opt/try
ExecStart=/opt/try/app/bin/jsupervise run /opt/try/services.yml --state-dir /opt/try/state --runtime-dir /opt/try/run
Restart=always
RestartSec=0
KillMode=process
Delegate=yes
UNIT
cat >"$units/try.service" <<'UNIT'
[Service]
ExecStart=/opt/try/go
UNIT
ln -s ../try.service "$units/multi-user.target.wants/try.service"
cat >"$box/opt/try/go" <<'GO'
#!/bin/bash
exec >/opt/try/said 2>&1
ctl() { /opt/try/app/bin/jsupervise --socket /opt/try/run/control.sock "$@"; }
# up MAIN: the supervisor is another than that, and answers by itself: of a dead one the status is read from its files.
up() {
    for ((i = 0; i < 100; i++)); do
        main=$(systemctl show -p MainPID --value supervised)
        [ "$main" != "$1" ] && ctl status hides --json | grep -q '"adopted":[tf]' && return
        sleep 0.2
    done
}
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
lives() { [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" && echo yes || echo no; }
told() { echo "= $*"; }
noted() {
    until [ -s /opt/try/hidden ]; do sleep 0.1; done
    hidden=$(cat /opt/try/hidden)
}
systemctl start supervised
up 0
service=$(ctl status hides --json | grep -o '"pid":[0-9]*' | tail -n 1 | cut -d: -f2)
noted
told "user $(stat -c %U "/proc/$main")"
told "supervisor in $(group_of "$main")"
told "service in $(group_of "$service" | sed 's/jsupervise-[0-9a-f]*/ID/; s,/[^/]*$,/RUN,')"
told "hidden beside it $([ "$(group_of "$hidden")" = "$(group_of "$service")" ] && echo yes)"
kill -KILL "$main"
up "$main"
told "after a kill $(ctl status hides --json | grep -o '"adopted":[a-z]*') alive $(lives "$service") $(lives "$hidden")"
ctl stop hides
told "after a stop alive $(lives "$service") $(lives "$hidden")"
rm /opt/try/hidden
ctl start hides
noted
told "started again alive $(lives "$hidden")"
systemctl stop supervised
told "after the end alive $(lives "$hidden") $(systemctl show -p Result --value supervised)"
told "groups $(find /sys/fs/cgroup -type d -name 'jsupervise-*' | wc -l)"
journalctl -u supervised --no-pager | tail -n 40
sync
systemctl poweroff --force --force
GO
chmod 755 "$box/opt/try/go"

code=0
# shellcheck disable=SC2016 # for the other shell
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout -k 5 90 sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
    systemd-nspawn --boot --register=no --keep-unit -D "$box" --console=read-only >"$work/console" 2>&1 </dev/null || code=$?
[ -s "$box/opt/try/said" ] || { skip "systemd does not come up here (exit $code): $(tail -n 1 "$work/console")" && exit 0; }
grep '^= ' "$box/opt/try/said" | sed 's/^= //' >"$work/told" || true
diff "$work/told" - <<'END' || { cat "$box/opt/try/said" >&2 && fail "not as it should be below systemd"; }
user daemon
supervisor in /system.slice/supervised.service
service in /system.slice/supervised.service/ID/service-hides/RUN
hidden beside it yes
after a kill "adopted":true alive yes yes
after a stop alive no no
started again alive yes
after the end alive no success
groups 0
END
ok "systemd delegates to a plain user: groups below that of the unit, adopted after a kill, ended whole"
