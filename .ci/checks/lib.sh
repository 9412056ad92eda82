# What the checks share: supervisors in folders of their own, waiting for conditions, and an end that leaves nothing behind.
#
# Each check runs by itself: `.ci/checks/50-web-stack.sh`. It tries the application folder that a build leaves, or what $JSUPERVISE
# names. Every supervisor is started with JSUPERVISE_CHECK in its environment; its services inherit it, and that is how what is left of
# them is found in /proc, whatever became of their parents.
# shellcheck shell=bash disable=SC2034 # not every check uses all of it
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
JSUPERVISE=${JSUPERVISE:-$root/supervisor-cli/target/jsupervise/bin/jsupervise}
work=$(mktemp -d "${TMPDIR:-/tmp}/jsupervise-check.XXXXXX")
check=$(basename -- "$0" .sh)
mounts=()
unset JSUPERVISE_SOCKET
export JSUPERVISE_CHECK=$work

if [ ! -x "$JSUPERVISE" ]; then
    echo "$check: no $JSUPERVISE; build it first: mvn package" >&2
    exit 1
fi

ok() { echo "  ok    $*"; }

skip() { echo "  skip  $*"; }

fail() {
    echo "  FAIL  $check: $*" >&2
    local out
    for out in "$work"/*/out; do
        [ -f "$out" ] && { echo "--- last lines of $out" && tail -n 30 "$out"; } >&2
    done
    exit 1
}

# bearers: pids of all processes of this check that a supervisor started. By their environment, or by their output, which goes into a FIFO
# of their supervisor: redis and nginx write their titles over their environment.
bearers() {
    {
        marked '^JSUPERVISE_RUN_ID='
        find /proc/[0-9]*/fd/1 -maxdepth 0 -lname "$work/*/fifo/*" 2>/dev/null | cut -d/ -f3
    } | sort -u | grep -vx $$ || true
}

# marked PATTERN: pids of all processes of this check with such a line in their environment; few forks, since some checks ask often, and some
# on a machine that is emulated.
marked() {
    local found
    mapfile -t found < <(grep -lsz "^JSUPERVISE_CHECK=$work\$" /proc/[0-9]*/environ)
    [ "${#found[@]}" = 0 ] || grep -lsz -- "$1" "${found[@]}" | cut -d/ -f3
}

# keepers: pids of the processes that keep descriptors for the next supervisors of this check.
keepers() { marked '^JSUPERVISE_KEEPER=' || true; }

# no_service_left: of what runs on beside a supervisor, only its keeper.
no_service_left() { [ -z "$(bearers)" ]; }

nothing_left() { [ -z "$(bearers)$(keepers)" ]; }

finish() {
    local status=$? pid mount
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    { wait || true; } 2>/dev/null
    for pid in $(bearers) $(keepers); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    for mount in "${mounts[@]}"; do
        umount -l "$mount" || true
    done
    rm -rf -- "$work"
    exit "$status"
}
pids=()
trap finish EXIT

# within SECONDS COMMAND..: waits until the command succeeds; fails the check when the time is over. In the virtual machine of .ci/vm to wait costs
# nothing, but to look does.
within() {
    local limit=$1 end
    shift
    end=$((SECONDS + limit + 1))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "not within ${limit}s: $*"
        sleep "$look_every"
    done
}
look_every=0.05
[ -z "${VM:-}" ] || look_every=1

# gone PID: no such process, or a zombie of ours that is only waiting to be reaped.
gone() { [ ! -r "/proc/$1/stat" ] || [ "$(sed 's/.*) //' "/proc/$1/stat" | cut -c1)" = Z ]; }

# supervise NAME FILE [OPTION..]: runs a supervisor with directories of its own; sets $pid. Its output is in $work/NAME/out.
supervise() {
    local name=$1
    launch "$@"
    within 30 answers "$name"
}

# launch NAME FILE [OPTION..]: the same without waiting for it. Shells without job control start what runs beside them with INT ignored,
# which the JVM respects; a supervisor that somebody started by hand has it as it should be.
launch() {
    local name=$1 file=$2
    shift 2
    mkdir -p "$work/$name"
    env --default-signal=INT "$JSUPERVISE" run "$file" --state-dir "$work/$name/state" --runtime-dir "$work/$name/run" "$@" \
        >>"$work/$name/out" 2>&1 </dev/null &
    pid=$!
    pids+=("$pid")
}

answers() { ask "$1" /v1/status; }

# socket NAME: where that supervisor listens. One that its file gives a name has a subdirectory of that name.
socket() {
    local found
    for found in "$work/$1"/run/control.sock "$work/$1"/run/*/control.sock; do
        [ ! -S "$found" ] || break
    done
    echo "$found"
}

# ctl NAME ARGUMENT..: the command line, against that supervisor.
ctl() {
    local name=$1
    shift
    "$JSUPERVISE" --socket "$(socket "$name")" "$@"
}

# ask NAME PATH [CURL OPTION..]: the same by HTTP, which is quicker than a JVM where a check asks often.
ask() {
    local name=$1 path=$2
    shift 2
    curl -sS --max-time 5 --unix-socket "$(socket "$name")" "$@" "http://localhost$path"
}

# is NAME CONDITION: whether a jq condition holds of the status; `s("web")` is the service of that name.
is() {
    ask "$1" /v1/status | jq -e "def s(\$n): .services[] | select(.name == \$n); $2"
}

# value NAME EXPRESSION: what a jq expression yields of the status.
value() {
    ask "$1" /v1/status | jq -r "def s(\$n): .services[] | select(.name == \$n); $2"
}

# exits CODE COMMAND..: runs it, at most a minute; its output goes to $work/said.
exits() {
    local expected=$1 code=0 name
    shift
    if [ "$1" = ctl ]; then
        # timeout(1) runs programs, no functions.
        name=$2
        shift 2
        set -- "$JSUPERVISE" --socket "$(socket "$name")" "$@"
    fi
    timeout -k 5 60 "$@" >"$work/said" 2>&1 </dev/null || code=$?
    [ "$code" = "$expected" ] || { cat "$work/said" >&2 && fail "exit $code instead of $expected: $*"; }
}

# says TEXT..: whether the last command said all of it.
says() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" "$work/said" || { cat "$work/said" >&2 && fail "it does not say: $text"; }
    done
}

# crash: the supervisor is killed with -9, and is gone.
crash() {
    kill -KILL "$pid"
    # The shell would tell of the death.
    { wait "$pid" || true; } 2>/dev/null
}

# ends PID CODE SECONDS: waits for a supervisor of ours and compares its exit code.
ends() {
    local code=0
    within "$3" gone "$1"
    wait "$1" || code=$?
    [ "$code" = "$2" ] || fail "supervisor $1 ended with $code instead of $2"
}

# "${nobody[@]}" COMMAND..: without any privilege, where we have some.
nobody=(env)
[ "$(id -u)" != 0 ] || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups -- env "HOME=$work")
