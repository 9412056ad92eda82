#!/bin/bash
# On a kernel of its own: programs that do their worst. What ignores every signal, forks faster than one can look, eats all memory, hides, or cannot be
# killed at all; each ends as docs/trees.md says, and neither the machine nor another service takes harm. And what takes a privilege that root
# often has not in a container: to go below its oom_score_adj and above its hard limits.
#
# The supervisor's group has the controller pids and no other.
cd -- "$(dirname -- "$0")/../../.." && . .ci/checks/lib.sh

# There are no locales in here.
export PERL_BADLANG=0
group=/sys/fs/cgroup/hostile
echo +pids >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$group"
chmod 755 "$work"
mkdir -m 777 "$work/notes"

# shellcheck disable=SC2016 # for the other shell
into_group=(sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$group")
base() { find "$group" -mindepth 1 -maxdepth 1 -name 'jsupervise-*' ! -name jsupervise-supervisor; }
main() { value d "s(\"$1\").pid"; }
# asked WHAT: by HTTP, since a client of ours is another JVM, and an emulated machine takes its time for one.
asked() { ask d "/v1/$1" -X POST --max-time "${2:-60}" -f >/dev/null || fail "not done: $1"; }
start() { asked "services/$1/start?wait=true"; }
stop() { asked "services/$1/stop?wait=true"; }
# told SERVICE EVENT WORD: whether the supervisor told of it.
told() { grep -q " $1: $2.*$3" "$work/d/out"; }
unharmed() { is d "s(\"neighbour\") | .state == \"RUNNING\" and .restarts == 0 and .pid == $neighbour" >/dev/null || fail "the neighbour was hit: $1"; }
forks() { sed -n 's/^processes //p' /proc/stat; }
# swarms: whether somebody forks without a pause, or would like to. A look at the processes may miss each of those that do.
swarms() {
    local before
    ! pgrep -f swarm.pl >/dev/null || return 0
    before=$(forks)
    sleep 1
    [ $(($(forks) - before)) -gt 20 ]
}
state_of() { sed 's/.*) //' "/proc/$1/stat" | cut -c1; }

# Deaf to all that can be ignored, and so is a process of its own session below it: what is ignored stays so over execve(2).
cat >"$work/deaf.sh" <<'SCRIPT'
#!/bin/bash
for ((i = 1; i <= 64; i++)); do trap '' "$i" 2>/dev/null; done
setsid sh -c 'echo $$ >'"$1"'; exec sleep 1000' &
exec sleep 1000
SCRIPT
# The swarm: N processes, each of which forks and ends, so that its child is an orphan and goes on; none has its number for longer than that takes.
cat >"$work/swarm.pl" <<'SCRIPT'
for (1 .. shift) {
    until (defined($child = fork)) {}
    next if $child;
    $SIG{TERM} = 'IGNORE';
    syscall 112; # setsid
    while (1) { exit if fork }
}
sleep 1000;
SCRIPT
# Leaves the session, the environment, the output and its parent.
cat >"$work/hidden.sh" <<'SCRIPT'
#!/bin/sh
(env -i setsid /bin/sh -c "echo \$\$ >$1; exec sleep 1000" >/dev/null 2>&1 &)
while [ ! -s "$1" ]; do sleep 0.05; done
exec sleep 1000
SCRIPT
chmod 755 "$work"/*.sh
cat >"$work/hostile.yml" <<YML
defaults: {ready: {delay: 0s}, restart: never, working_dir: /, stop_timeout: 2s, autostart: false}
services:
  neighbour: {command: sleep 1000, autostart: true, oom_score_adj: -500}
  deaf: {command: [$work/deaf.sh, $work/notes/deaf]}
  deaf-mixed: {command: [$work/deaf.sh, $work/notes/deaf-mixed], kill_mode: mixed}
  deaf-process: {command: [$work/deaf.sh, $work/notes/deaf-process], kill_mode: process}
  swarm: {command: [perl, $work/swarm.pl, "2"], resources: {pids_max: 20}}
  swarm-free: {command: [perl, $work/swarm.pl, "2"], user: nobody, rlimits: {nproc: 20}}
  hog: {command: [perl, -e, 'push @all, "x" x 10000000 while 1']}
  hog-limited: {command: [perl, -e, 'push @all, "x" x 10000000 while 1'], rlimits: {as: 200MiB}}
  hides: {command: [$work/hidden.sh, $work/notes/hides], resources: {}}
  escapes: {command: [$work/hidden.sh, $work/notes/escapes]}
  frozen: {command: sleep 1000, resources: {memory_max: 64MiB, optional: true}}
  stuck: {shell: true, command: "(echo x >/disk/stuck) & exec sleep 1000"}
  stuck-main: {shell: true, command: "echo \$\$ >$work/notes/stuck; exec 3>/disk/stuck-main"}
  privileged:
    command: sleep 1000
    user: nobody
    nice: -5
    oom_score_adj: -900
    rlimits: {nofile: {soft: 100, hard: 5000}, core: unlimited}
YML

# ---- what may not be, and what may be missing ----
printf 'services:\n  web:\n    command: sleep 1\n    resources: {memory_max: 64MiB}\n' >"$work/required.yml"
exits 78 "${into_group[@]}" "$JSUPERVISE" check "$work/required.yml"
says "required.yml:4:" "no controller memory"
ok "a controller that is missing: 78, with its place"

mkdir "$work/d"
"${into_group[@]}" prlimit --nofile=1000:1000 --core=0:0 env --default-signal=INT "$JSUPERVISE" run "$work/hostile.yml" --state-dir "$work/d/state" --runtime-dir "$work/d/run" \
    >>"$work/d/out" 2>&1 </dev/null &
pid=$!
pids+=("$pid")
within 60 answers d
within 30 is d 's("neighbour").state == "RUNNING"'
neighbour=$(main neighbour)

start privileged
it=$(main privileged)
[ "$(cat "/proc/$it/oom_score_adj") $(cat "/proc/$neighbour/oom_score_adj")" = "-900 -500" ] || fail "oom_score_adj is $(cat "/proc/$it/oom_score_adj")"
[ "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$it/limits")" = "100 5000" ] || fail "open files: $(grep open "/proc/$it/limits")"
[ "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$it/limits")" = "unlimited unlimited" ] || fail "core: $(grep core "/proc/$it/limits")"
[ "$(ps -o user=,ni= -p "$it" | tr -s ' ')" = "nobody -5" ] || fail "it runs as $(ps -o user=,ni= -p "$it")"
stop privileged
ok "root lowers oom_score_adj and nice, and raises hard limits, for another user"

# ---- what ignores every signal ----
deaf=(deaf deaf-mixed deaf-process)
for name in "${deaf[@]}"; do start "$name"; done
for name in "${deaf[@]}"; do within 10 test -s "$work/notes/$name"; done
mains=$(value d '[.services[] | select(.name | startswith("deaf")) | .pid | tostring] | join(" ")')
for it in $mains; do
    # All but KILL and STOP, and the two that glibc keeps for itself.
    [ "$(sed -n 's/^SigIgn:\t//p' "/proc/$it/status")" = fffffffe7ffbfeff ] || fail "it ignores $(sed -n 's/^SigIgn:\t//p' "/proc/$it/status")"
done
for name in "${deaf[@]}"; do stop "$name"; done
for it in $mains; do gone "$it" || fail "what is deaf outlived its stop"; done
is d '[.services[] | select(.name | startswith("deaf")) | select(.state == "STOPPED" and .last_exit.signal == "SIGKILL")] | length == 3' >/dev/null || fail "$(value d .)"
for name in deaf deaf-mixed; do gone "$(cat "$work/notes/$name")" || fail "a child of $name outlived its service"; done
! gone "$(cat "$work/notes/deaf-process")" || fail "process: more than the main process was ended"
kill -KILL "$(cat "$work/notes/deaf-process")"
unharmed "deaf"
ok "what ignores every signal is killed when stop_timeout is over; its child too, but with kill_mode process"

# ---- what forks faster than one can look ----
start swarm
swarms || fail "no swarm"
stop swarm
[ "$(cat "$(base)/service-swarm/pids.current" 2>/dev/null || echo 0)" = 0 ] || fail "something of a swarm outlived its stop"
! swarms || fail "a swarm outlived its stop"
unharmed "swarm"
ok "a swarm that forks without a pause ends with its group"

start swarm-free
swarms || fail "no swarm"
stop swarm-free
ended="is gone"
if swarms; then
    # On a processor that is emulated it is too quick for the looks: that is told, and after 10 s nobody waits any more.
    told swarm-free group-remains "left=\[[a-z]" || fail "a swarm outlived its stop, and nothing was told of it"
    ended="is told of when it could not be ended within 10 s"
    # All of a user at once, as only the kernel can.
    "${nobody[@]}" perl -e 'kill KILL => -1' || true
    ! swarms || fail "a swarm outlived even that"
fi
unharmed "swarm-free"
ok "without a group, under a limit of processes for its user, it $ended"

# ---- what eats all memory ----
start hog
within 60 is d 's("hog") | .state == "EXITED" and .last_exit.signal == "SIGKILL"'
unharmed "hog"
start hog-limited
within 60 is d 's("hog-limited") | .state == "EXITED" and .last_exit.code == 1'
unharmed "hog-limited"
ok "who eats the memory of the machine is killed by the kernel, and not its neighbours or the supervisor; under a limit it ends by itself"

# ---- what hides ----
for name in hides escapes; do
    start "$name"
    within 10 test -s "$work/notes/$name"
done
stop hides
gone "$(cat "$work/notes/hides")" || fail "what hid in a control group outlived its service"
stop escapes
escaped=$(cat "$work/notes/escapes")
! gone "$escaped" || fail "what cannot be told from others was ended with a service: docs/trees.md says otherwise"
ok "a daemon with an emptied environment ends with its group; without one it escapes the end of its service"

# ---- what is frozen ----
start frozen
told frozen resources-missing memory || fail "it is not told that there is no limit"
it=$(main frozen)
echo 1 >"$(base)/service-frozen/cgroup.freeze"
within 10 grep -q '^frozen 1' "$(base)/service-frozen/cgroup.events"
stop frozen
gone "$it" || fail "a frozen service outlived its stop"
ok "a service in a frozen group ends at its stop; its missing limit is optional, and told"

# ---- what cannot be killed ----
# A writer on a frozen file system waits in state D, and KILL waits with it. (The parent of a vfork(2) is in state D as well, but killable.)
fsfreeze -f /disk
start stuck
sleep 1
stuck=$(pgrep -f 'echo x >/disk/stuck' | while read -r each; do [ "$(state_of "$each")" != D ] || echo "$each"; done)
[ -n "$stuck" ] || fail "no process is in state D: $(ps -eo pid,state,args)"
stop stuck
told stuck group-remains "pid $stuck .*state D" || fail "it is not told that a process in state D remains: $(grep ' stuck: ' "$work/d/out")"
is d 's("stuck").state == "STOPPED"' >/dev/null || fail "its service is $(value d 's("stuck").state')"
start stuck-main
within 10 test -s "$work/notes/stuck"
it=$(cat "$work/notes/stuck")
within 10 [ "$(state_of "$it")" = D ]
asked 'services/stuck-main/stop'
within 20 told stuck-main killing SIGKILL
is d 's("stuck-main") | .state == "STOPPING" and .pid == '"$it" >/dev/null || fail "it is $(value d 's("stuck-main")')"
unharmed "state D"
fsfreeze -u /disk
# Of several deadly signals the first one counts.
within 20 is d 's("stuck-main") | .state == "STOPPED" and .last_exit.signal == "SIGTERM"'
within 20 gone "$stuck"
ok "what is in state D is told of by number, name and state, and waited for no longer; it dies as soon as it can"

kill -TERM "$pid"
ends "$pid" 0 60
# It could be of the service with kill_mode: process, of which everything is to be left.
! gone "$escaped" || fail "something was ended that may belong to a service whose processes are to be left"
kill -KILL "$escaped"
within 5 no_service_left
[ -z "$(base)" ] || fail "left behind: $(find "$group" -mindepth 1 -type d)"
ok "an end in order leaves no group, and what may belong to a service with kill_mode: process"
