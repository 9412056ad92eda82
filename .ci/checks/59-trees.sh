#!/bin/bash
# Whole process trees on the built product: what forks, leaves its session or loses its parent ends with its service, also where the supervisor
# was killed meanwhile; what is none of ours stays; as root and as a plain user; and as process 1 of a pid namespace.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

chmod 755 "$work"
cp -r "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
chmod -R a+rX "$work/app"
JSUPERVISE=$work/app/bin/jsupervise

# One process of each kind, which notes its number in a file of its name; then the main process sleeps.
cat >"$work/tree.sh" <<'TREE'
#!/bin/sh
here=$1
leaf="echo \$\$ >$here/\$0; echo \$\$ >>$here/all; exec sleep 3600"
sh -c "$leaf" kid &
setsid sh -c "$leaf" session &
(setsid sh -c "$leaf" orphan &)
(setsid sh -c "(setsid sh -c \"(setsid sh -c 'echo \\\$\\\$ >$here/deep; exec sleep 3600' &)\" &)" &)
setsid sh -c "trap '' TERM INT HUP QUIT; echo \$\$ >$here/deaf; while :; do sleep 1; done" &
env -i setsid sh -c "$leaf" bare >/dev/null 2>&1 &
(env -i setsid sh -c "$leaf" lost >/dev/null 2>&1 &)
echo $$ >"$here/main"
exec sleep 3600
TREE
chmod 755 "$work/tree.sh"
kinds=(main kid session orphan deep deaf bare lost)

all_noted() {
    local kind
    for kind in "${kinds[@]}"; do [ -s "$1/$kind" ] || return 1; done
}
pid_of() { cat "$1/$2"; }
gone_all() {
    local dir=$1 kind
    shift
    for kind in "$@"; do gone "$(pid_of "$dir" "$kind")" || return 1; done
}

# as USER..: the supervisor runs under this.
as=(env)
begin() {
    local name=$1 file=$2
    mkdir -p "$work/$name"
    [ "$(id -u)" != 0 ] || chown 65534:65534 "$work/$name"
    "${as[@]}" env --default-signal=INT "$JSUPERVISE" run "$file" --state-dir "$work/$name/state" --runtime-dir "$work/$name/run" >>"$work/$name.out" 2>&1 </dev/null &
    pid=$!
    pids+=("$pid")
    within 30 answers "$name"
}

trees() {
    local name=$1 dir=$work/$1/notes kind
    mkdir -p "$work/$name"
    chmod 777 "$work/$name"
    mkdir -m 777 "$dir"
    cat >"$work/$name.yml" <<YML
services:
  tree:
    command: [$work/tree.sh, $dir]
    working_dir: /
    backoff: {initial: 0s, max: 0s}
    ready: {delay: 0s}
    stop_timeout: 500ms
YML
    # An innocent process in the same session as the supervisor, and one that only bears a name of ours.
    sleep 3600 &
    local neighbour=$!
    pids+=("$neighbour")
    env JSUPERVISE_SERVICE=tree JSUPERVISE_RUN_ID=00000000-1-1 setsid sleep 3600 &
    local stranger=$!
    pids+=("$stranger")

    begin "$name" "$work/$name.yml"
    within 20 all_noted "$dir"
    ok "$name: a tree of ${#kinds[@]} kinds of processes stands"

    for kind in "${kinds[@]}"; do cp "$dir/$kind" "$dir/$kind.1"; done
    rm -f "${kinds[@]/#/$dir/}"
    kill -KILL "$(pid_of "$dir" main.1)"
    within 20 all_noted "$dir"
    within 5 gone_all "$dir" main.1 kid.1 session.1 orphan.1 deep.1 deaf.1
    ok "$name: its main process died: what it left is gone, and it runs again"

    ctl "$name" stop tree >/dev/null
    for kind in main kid session orphan deep deaf bare; do
        gone "$(pid_of "$dir" "$kind")" || fail "$name: $kind outlived the stop"
    done
    ok "$name: a stop leaves nothing, what knows no signal and what emptied its environment included"

    rm -f "${kinds[@]/#/$dir/}"
    ctl "$name" start tree >/dev/null
    within 20 all_noted "$dir"
    crash
    begin "$name" "$work/$name.yml"
    is "$name" 's("tree").adopted' >/dev/null || fail "$name: it was not adopted"
    ctl "$name" stop tree >/dev/null
    for kind in main kid session orphan deep deaf bare; do
        gone "$(pid_of "$dir" "$kind")" || fail "$name: $kind outlived the stop by another supervisor"
    done
    ok "$name: so does one by the next supervisor, when the one before was killed"

    cp "$dir/lost" "$dir/lost.1"
    rm -f "${kinds[@]/#/$dir/}"
    ctl "$name" start tree >/dev/null
    within 20 all_noted "$dir"
    crash
    kill -KILL "$(pid_of "$dir" main)"
    for kind in "${kinds[@]}"; do cp "$dir/$kind" "$dir/$kind.2"; done
    rm -f "${kinds[@]/#/$dir/}"
    begin "$name" "$work/$name.yml"
    within 20 all_noted "$dir"
    gone_all "$dir" main.2 kid.2 session.2 orphan.2 deep.2 deaf.2 || fail "$name: something of a run that nobody saw end is left beside the next one"
    ok "$name: what a run left that ended while nobody supervised is gone before the next one"

    kill -TERM "$pid"
    ends "$pid" 0 20
    within 5 gone_all "$dir" "${kinds[@]}"
    ok "$name: the end of the supervisor takes along what hid from its service"
    ! gone "$neighbour" || fail "$name: an innocent neighbour was hit"
    ! gone "$stranger" || fail "$name: a process of another supervisor was hit"
    ok "$name: who is none of ours lives"
    kill -KILL "$neighbour" "$stranger"
    { wait "$neighbour" "$stranger" || true; } 2>/dev/null
    # What hid from its service, and lost its supervisor by our kill, is nobody's: it bears no mark by which it could be found.
    local hidden
    while read -r hidden; do
        if ! gone "$hidden" && [ "$(ps -o args= -p "$hidden")" = "sleep 3600" ]; then
            kill -KILL "$hidden"
        fi
    done <"$dir/all"
}

trees own
if [ "$(id -u)" = 0 ]; then
    as=("${nobody[@]}")
    trees plain
    as=(env)
fi

mkdir -m 777 "$work/modes" "$work/modes/mixed" "$work/modes/process" "$work/modes/bare" "$work/modes/command"
cat >"$work/modes.yml" <<YML
defaults: {ready: {delay: 0s}, backoff: {initial: 0s, max: 0s}, working_dir: /}
services:
  mixed:
    kill_mode: mixed
    command: [sh, -c, "setsid sh -c 'trap \"echo TERM >$work/modes/mixed/told\" TERM; echo \$\$ >$work/modes/mixed/kid; while :; do sleep 0.05; done' & trap 'sleep 0.5; exit 0' TERM; while :; do sleep 0.05; done"]
  bare:
    kill_mode: mixed
    command: [sh, -c, "env -i setsid sh -c 'echo \$\$ >$work/modes/bare/kid; exec sleep 3600' >/dev/null 2>&1 & trap 'exit 0' TERM; while :; do sleep 0.05; done"]
  command:
    stop_command: [sh, -c, "kill -KILL \$JSUPERVISE_PID"]
    command: [sh, -c, "env -i setsid sh -c 'echo \$\$ >$work/modes/command/kid; exec sleep 3600' >/dev/null 2>&1 & while :; do sleep 0.05; done"]
  process:
    kill_mode: process
    command: [sh, -c, "setsid sh -c 'echo \$\$ >$work/modes/process/kid; exec sleep 3600' & exec sleep 3600"]
YML
supervise modes "$work/modes.yml"
within 10 test -s "$work/modes/mixed/kid"
within 10 test -s "$work/modes/process/kid"
within 10 test -s "$work/modes/bare/kid"
within 10 test -s "$work/modes/command/kid"
ctl modes stop --all >/dev/null
[ ! -e "$work/modes/mixed/told" ] || fail "mixed: the stop signal went to more than the main process"
gone "$(cat "$work/modes/mixed/kid")" || fail "mixed: something outlived the main process"
gone "$(cat "$work/modes/bare/kid")" || fail "mixed: what hid from it outlived the main process"
ok "kill_mode mixed: the main process is asked, the rest is killed, what has emptied its environment included"
gone "$(cat "$work/modes/command/kid")" || fail "stop_command: what hid from the service outlived the main process"
ok "a stop_command that ends the main process: what has emptied its environment is killed all the same"
! gone "$(cat "$work/modes/process/kid")" || fail "process: more than the main process was ended"
kill -TERM "$pid"
ends "$pid" 0 20
! gone "$(cat "$work/modes/process/kid")" || fail "process: what was to be left was ended with the supervisor"
kill -KILL "$(cat "$work/modes/process/kid")"
ok "kill_mode process: nothing but the main process is touched"

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$work/one"
    cat >"$work/one.yml" <<YML
services:
  forker: {command: [sh, -c, "while :; do (setsid sleep 0.01 &); sleep 0.01; done"], ready: {delay: 0s}}
  tree: {command: [$work/tree.sh, $work/one], ready: {delay: 0s}, working_dir: /}
YML
    unshare --pid --fork --mount-proc --kill-child env --default-signal=INT "$JSUPERVISE" run "$work/one.yml" --state-dir "$work/one/state" \
        --runtime-dir "$work/one/run" >>"$work/one/out" 2>&1 </dev/null &
    outer=$!
    pids+=("$outer")
    within 30 answers one
    within 20 all_noted "$work/one"
    inner=$(cat "/proc/$outer/task/$outer/children")
    inner=${inner% }
    sleep 6
    zombies() { pgrep -c -r Z -P "$inner" || true; }
    few_zombies() { [ "$(zombies)" -lt 100 ]; }
    within 20 few_zombies
    ok "process 1 of a pid namespace reaps what a service makes orphans of ($(zombies) wait)"
    kill -QUIT "$inner"
    kill -USR1 "$inner"
    within 5 answers one
    kill -TERM "$inner"
    ends "$outer" 0 20
    [ -z "$(bearers)" ] || fail "something of the namespace is left"
    grep -q supervisor-ended "$work/one/out" || fail "process 1 did not end in order"
    ok "TERM to process 1 stops all, with exit code 0"
fi
