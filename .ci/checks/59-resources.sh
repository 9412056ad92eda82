#!/bin/bash
# Control groups of services: who is in which, that what hides from everything else ends with its group, over crashes of the supervisor and as a
# plain user; and where the kernel gives the controllers of version 2, that a fork bomb, a memory hog and a busy loop stay within their services.
# All of it in a group of its own below the one that the check runs in. `59-resources.sh limits` tries nothing but the limits.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

mounted=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$mounted" ] || { skip "no control groups of version 2 are mounted" && exit 0; }
outer=$mounted$(sed -n 's/^0:://p' /proc/self/cgroup)
outer=${outer%/}
group=$outer/jsupervise-check-$$
mkdir "$group" 2>"$work/said" || { skip "no group can be made: $(cat "$work/said")" && exit 0; }

populated() { grep -q '^populated 1' "$1/cgroup.events"; }
empty() { ! populated "$1"; }
clear_group() {
    local i dir
    [ -d "$group" ] || return 0
    [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
    for ((i = 0; i < 100; i++)); do
        empty "$group" && break
        sleep 0.05
    done
    find "$group" -depth -type d | while read -r dir; do rmdir "$dir" || true; done
    for controller in "${enabled[@]}"; do
        echo "-$controller" >"$outer/cgroup.subtree_control" || true
    done
}
enabled=()
trap 'code=$?; clear_group; set +e; (exit "$code"); finish' EXIT
[ -e "$group/cgroup.kill" ] || { skip "this kernel has no cgroup.kill (5.14)" && exit 0; }

# Controllers for our group, where they can be had without touching others.
for controller in memory cpu pids; do
    if grep -qw "$controller" "$outer/cgroup.controllers" && ! grep -qw "$controller" "$outer/cgroup.subtree_control"; then
        { echo "+$controller" >"$outer/cgroup.subtree_control"; } 2>/dev/null && enabled+=("$controller")
    fi
done
controllers=$(cat "$group/cgroup.controllers")
has_all() {
    local controller
    for controller in memory cpu pids; do grep -qw "$controller" <<<"$controllers" || return 1; done
}

chmod 755 "$work"
cp -r "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
chmod -R a+rX "$work/app"
JSUPERVISE=$work/app/bin/jsupervise

# begin NAME FILE: a supervisor that begins in our group, as a unit of systemd would have it: once it has moved aside, in the subgroup.
as=(env)
launch_in() {
    local name=$1 file=$2 at=$group
    [ ! -d "$group/jsupervise-supervisor" ] || at=$group/jsupervise-supervisor
    mkdir -p "$work/$name"
    chmod 777 "$work/$name"
    # shellcheck disable=SC2016 # for the other shell
    sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$at" "${as[@]}" env --default-signal=INT "$JSUPERVISE" run "$file" \
        --state-dir "$work/$name/state" --runtime-dir "$work/$name/run" >>"$work/$name/out" 2>&1 </dev/null &
    pid=$!
    pids+=("$pid")
}
begin() {
    launch_in "$@"
    within 60 answers "$1"
}
base() { find "$group" -mindepth 1 -maxdepth 1 -name 'jsupervise-*' ! -name jsupervise-supervisor; }
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
main() { value "$1" "s(\"$2\").pid"; }
# asked NAME WHAT: by HTTP, since a client of ours is another JVM, and an emulated machine takes its time for one.
asked() { ask "$1" "/v1/$2" -X POST --max-time 60 -f >/dev/null || fail "not done: $2"; }
running() { is "$1" "s(\"$2\") | .state == \"RUNNING\" and .restarts == $3"; }

# ---- a group, whatever the controllers ----
mkdir -m 777 "$work/notes"
cat >"$work/hidden.sh" <<HIDDEN
#!/bin/sh
# Leaves the session, the environment, the output and its parent: without a group nothing tells it from others once its supervisor was killed.
rm -f $work/notes/hidden
(env -i setsid /bin/sh -c 'echo \$\$ >$work/notes/hidden; exec sleep 3600' >/dev/null 2>&1 &)
while [ ! -s $work/notes/hidden ]; do sleep 0.05; done
exec sleep 1000
HIDDEN
chmod 755 "$work/hidden.sh"
cat >"$work/groups.yml" <<YML
defaults: {ready: {delay: 0s}, backoff: {initial: 0s, max: 0s}, working_dir: /}
services:
  hides: {command: $work/hidden.sh, resources: {}}
  exact: {command: [sleep, "1000"], resources: {}, inherit_env: false, environment: {A.B: "x y", PWD: /nowhere, SHLVL: "7", PLAIN: z, PATH: /usr/bin:/bin}}
  plain: {command: [sleep, "1000"]}
YML

hidden() { cat "$work/notes/hidden"; }
# The note of a run before may still be there.
noted() { [ -s "$work/notes/hidden" ] && ! gone "$(hidden)"; }
trees() {
    local name=$1 old before
    begin "$name" "$work/groups.yml"
    for service in hides exact plain; do within 30 running "$name" "$service" 0; done
    within 30 noted
    for service in hides exact; do
        [[ $(group_of "$(main "$name" "$service")") == */jsupervise-*/service-$service/* ]] || fail "$service is in $(group_of "$(main "$name" "$service")")"
    done
    within 10 [ "$(group_of "$(hidden)")" = "$(group_of "$(main "$name" hides)")" ]
    [ "$(group_of "$(main "$name" plain)")" = "$(group_of "$pid")" ] || fail "a service that asks for nothing is in $(group_of "$(main "$name" plain)")"
    ok "$name: who asks for a group has one, and who does not stays where the supervisor is"

    [ "$(tr '\0' ' ' <"/proc/$(main "$name" exact)/cmdline")" = "sleep 1000 " ] || fail "not its own arguments"
    tr '\0' '\n' <"/proc/$(main "$name" exact)/environ" | grep -v ^JSUPERVISE_ | sort | tr '\n' ',' >"$work/environ"
    [ "$(cat "$work/environ")" = "A.B=x y,PATH=/usr/bin:/bin,PLAIN=z,PWD=/nowhere,SHLVL=7," ] || fail "not the environment that it asked for: $(cat "$work/environ")"
    ok "$name: the way into the group changes nothing of its environment and its arguments"

    old=$(hidden)
    kill -KILL "$(main "$name" hides)"
    within 30 running "$name" hides 1
    within 10 gone "$old"
    within 30 noted
    [ "$(find "$(base)/service-hides" -mindepth 1 -type d | wc -l)" = 1 ] || fail "the group of an ended run is still there"
    ok "$name: its main process died: what hid is gone, and the group of that run too"

    before=$(main "$name" hides)
    old=$(hidden)
    crash
    begin "$name" "$work/groups.yml"
    [ "$(main "$name" hides)" = "$before" ] || fail "it was not adopted"
    ! gone "$old" || fail "what hid did not live through the crash of the supervisor"
    asked "$name" 'services/hides/stop?wait=true'
    within 5 gone "$old"
    ok "$name: the supervisor was killed: the next one ends what hid with its service all the same"

    asked "$name" 'services/hides/start?wait=true'
    within 30 noted
    old=$(hidden)
    before=$(main "$name" hides)
    crash
    kill -KILL "$before"
    ! gone "$old" || fail "what hid was ended by nobody"
    begin "$name" "$work/groups.yml"
    within 30 is "$name" "s(\"hides\") | .state == \"RUNNING\" and .pid != $before"
    within 10 gone "$old"
    ok "$name: its main process ended while nobody supervised: what hid is found by the name of its group"

    within 30 noted
    old=$(hidden)
    kill -TERM "$pid"
    ends "$pid" 0 60
    gone "$old" || fail "what hid outlived the supervisor"
    [ -z "$(base)" ] || fail "left behind: $(find "$group" -mindepth 1 -type d)"
    ok "$name: an end in order leaves no group"
}

if [ "${1-}" != limits ]; then
trees own
fi
if [ "${1-}" != limits ] && [ "$(id -u)" = 0 ]; then
    # What it takes to delegate a group (cgroups(7)).
    chown 65534:65534 "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control"
    # Into the group as root, then somebody else.
    as=("${nobody[@]}")
    trees delegated
    chown 0:0 "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control"
    printf 'services:\n  web:\n    command: sleep 1\n    resources: {}\n' >"$work/bad.yml"
    exits 77 "${nobody[@]}" "$JSUPERVISE" check "$work/bad.yml"
    says "bad.yml:4:16: resources" EACCES "optional: true"
    as=(env)
    ok "without the right to make groups: 77, with its place"
fi

cat >"$work/optional.yml" <<YML
services:
  web: {command: [sleep, "1000"], ready: {delay: 0s}, resources: {memory_max: 64MiB, optional: true}}
YML
if ! grep -qw memory <<<"$controllers"; then
    sed 's/, optional: true//' "$work/optional.yml" >"$work/required.yml"
    # shellcheck disable=SC2016 # for the other shell
    exits 78 sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" "$JSUPERVISE" check "$work/required.yml"
    says "required.yml:2:" "no controller memory"
    begin optional "$work/optional.yml"
    within 30 running optional web 0
    [ "$(grep -c 'web: resources-missing .*memory' "$work/optional/out")" = 1 ] || fail "it is not told that there is no limit"
    [[ $(group_of "$(main optional web)") == */service-web/* ]] || fail "it has no group"
    kill -TERM "$pid"
    ends "$pid" 0 60
    ok "without the controller: 78, or with optional: true a group without the limit, which is told"
fi

# ---- limits ----
if ! has_all; then
    skip "limits: version 2 has no controllers memory, cpu and pids for $group (only: ${controllers:-none})"
    exit 0
fi
cat >"$work/limits.yml" <<YML
defaults: {ready: {delay: 0s}, restart: never, working_dir: /}
services:
  neighbour: {command: [sleep, "1000"]}
  bomb:
    shell: true
    command: (bomb() { while :; do bomb & done; }; bomb) >/dev/null 2>&1 & exec sleep 1000
    resources: {pids_max: 40, cpu_max: 30%}
    autostart: false
  hog: {command: [tail, /dev/zero], resources: {memory_max: 24MiB}, autostart: false}
  worker:
    shell: true
    command: tail /dev/zero >/dev/null 2>&1; echo \$? >$work/notes/worker; exec sleep 1000
    resources: {memory_max: 24MiB}
    autostart: false
  late:
    shell: true
    command: until [ -e $work/notes/go ]; do sleep 0.1; done; exec tail /dev/zero
    resources: {memory_max: 24MiB}
    autostart: false
  busy: {shell: true, command: "while :; do :; done", resources: {cpu_max: 20%}}
YML
limit() { cat "$(base)/service-$1/$2"; }
event() { [ "$(sed -n "s/^$3 //p" "$(base)/service-$1/$2")" -gt 0 ]; }
begin limits "$work/limits.yml"
within 60 running limits neighbour 0
within 60 running limits busy 0
neighbour=$(main limits neighbour)
[ "$(group_of "$pid")" = "${group#"$mounted"}/jsupervise-supervisor" ] || fail "the supervisor is in $(group_of "$pid")"
[ "$(limit busy cpu.max)" = "20000 100000" ] || fail "cpu.max is $(limit busy cpu.max)"
within 60 event busy cpu.stat nr_throttled
ok "cpu_max: a busy loop is held back"

asked limits 'services/bomb/start?wait=true'
[ "$(limit bomb pids.max)" = 40 ] || fail "pids.max is $(limit bomb pids.max)"
within 60 event bomb pids.events max
[ "$(limit bomb pids.current)" -le 40 ] || fail "pids.current is $(limit bomb pids.current)"
running limits neighbour 0 >/dev/null || fail "the neighbour of a fork bomb was hit"
crash
begin limits "$work/limits.yml"
[ "$(main limits neighbour)" = "$neighbour" ] || fail "the neighbour was not adopted"
is limits 's("bomb").adopted' >/dev/null || fail "the fork bomb was not adopted"
[ "$(limit bomb pids.max)" = 40 ] || fail "the limit did not outlive the supervisor"
bomb=$(base)/service-bomb
asked limits 'services/bomb/stop?wait=true'
empty "$bomb" || fail "something of a fork bomb outlived its stop"
ok "pids_max: a fork bomb stays in its service, over a crash of the supervisor too, and ends whole"

asked limits 'services/hog/start'
within 60 is limits 's("hog") | .state == "EXITED" and .last_exit.signal == "SIGKILL" and (.last_exit.reason | contains("memory"))'
[ "$(limit hog memory.max)" = $((24 << 20)) ] || fail "memory.max is $(limit hog memory.max)"
asked limits 'services/worker/start?wait=true'
within 60 test -s "$work/notes/worker"
[ "$(cat "$work/notes/worker")" = 137 ] || fail "a worker ended with $(cat "$work/notes/worker") instead of SIGKILL"
within 10 running limits worker 0
[ "$(main limits neighbour)" = "$neighbour" ] || fail "the neighbour of a memory hog was hit"
ok "memory_max: a memory hog is killed, and its end says why; a worker alone where only that one was too large"

asked limits 'services/late/start?wait=true'
late=$(main limits late)
crash
touch "$work/notes/go"
within 60 gone "$late"
begin limits "$work/limits.yml"
within 60 is limits 's("late") | .state != "RUNNING" and (.last_exit.reason | contains("the kernel killed one process"))'
ok "memory_max: what was killed while nobody supervised is told by the next supervisor"

sed -i 's/pids_max: 40, cpu_max: 30%/pids_max: 20/' "$work/limits.yml"
asked limits 'reload?wait=true'
asked limits 'services/bomb/start?wait=true'
[ "$(limit bomb pids.max) $(limit bomb cpu.max)" = "20 max 100000" ] || fail "after the reload: $(limit bomb pids.max) $(limit bomb cpu.max)"
asked limits 'services/bomb/stop?wait=true'
ok "a reload changes limits at the next start"

crash
sed -i '/^  busy:/s/{cpu_max: 20%}/{}/' "$work/limits.yml"
begin limits "$work/limits.yml"
[ "$(limit busy cpu.max)" = "20000 100000" ] || fail "cpu.max of a run that goes on was changed: $(limit busy cpu.max)"
asked limits 'services/busy/restart?wait=true'
[ "$(limit busy cpu.max)" = "max 100000" ] || fail "the limit of an earlier supervisor is still there: $(limit busy cpu.max)"
ok "what an earlier supervisor had limited is lifted at the next start, where the file no longer asks for it"

busy=$(base)/service-busy
sed -i '/^  busy:/d' "$work/limits.yml"
asked limits 'reload?wait=true'
within 10 test ! -e "$busy"
ok "a service that is removed by a reload takes its groups along"

kill -TERM "$pid"
ends "$pid" 0 60
[ -z "$(base)" ] || fail "left behind: $(find "$group" -mindepth 1 -type d)"
ok "an end in order leaves no group"
