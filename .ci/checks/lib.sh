# What the checks share: supervisors in folders of their own, waiting for conditions, and an end that leaves nothing behind.
#
# Each check runs by itself: `.ci/checks/50-web-stack.sh`. It tries the application folder that a build leaves, or what $JSUPERVISE
# names. Every supervisor is started with JSUPERVISE_CHECK in its environment; its services inherit it, and that is how what is left of
# them is found in /proc, whatever became of their parents.
# shellcheck shell=bash
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

# bearers: pids of all processes of this check that a supervisor started, or is.
bearers() {
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        if [ "$pid" != $$ ] && grep -qz "^JSUPERVISE_CHECK=$work\$" "$environ" 2>/dev/null \
            && grep -qz '^JSUPERVISE_RUN_ID=' "$environ" 2>/dev/null; then
            echo "$pid"
        fi
    done
}

nothing_left() { [ -z "$(bearers)" ]; }

finish() {
    local status=$? pid mount
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    for pid in $(bearers); do
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

# within SECONDS COMMAND..: waits until the command succeeds; fails the check when the time is over.
within() {
    local limit=$1 end
    shift
    end=$((SECONDS + limit + 1))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "not within ${limit}s: $*"
        sleep 0.05
    done
}

# gone PID: no such process, or a zombie of ours that is only waiting to be reaped.
gone() { [ ! -r "/proc/$1/stat" ] || [ "$(sed 's/.*) //' "/proc/$1/stat" | cut -c1)" = Z ]; }

# supervise NAME FILE [OPTION..]: runs a supervisor with directories of its own; sets $pid. Its output is in $work/NAME/out.
supervise() {
    local name=$1
    launch "$@"
    within 30 answers "$name"
}

# launch NAME FILE [OPTION..]: the same without waiting for it.
launch() {
    local name=$1 file=$2
    shift 2
    mkdir -p "$work/$name"
    "$JSUPERVISE" run "$file" --state-dir "$work/$name/state" --runtime-dir "$work/$name/run" "$@" \
        >>"$work/$name/out" 2>&1 </dev/null &
    pid=$!
    pids+=("$pid")
}

answers() { ask "$1" /v1/status; }

# ctl NAME ARGUMENT..: the command line, against that supervisor.
ctl() {
    local name=$1
    shift
    "$JSUPERVISE" --socket "$work/$name/run/control.sock" "$@"
}

# ask NAME PATH [CURL OPTION..]: the same by HTTP, which is quicker than a JVM where a check asks often.
ask() {
    local name=$1 path=$2
    shift 2
    curl -sS --max-time 5 --unix-socket "$work/$name/run/control.sock" "$@" "http://localhost$path"
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
    local expected=$1 code=0
    shift
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

# ends PID CODE SECONDS: waits for a supervisor of ours and compares its exit code.
ends() {
    local code=0
    within "$3" gone "$1"
    wait "$1" || code=$?
    [ "$code" = "$2" ] || fail "supervisor $1 ended with $code instead of $2"
}

# as_nobody COMMAND..: without any privilege, where we have some.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups -- env HOME="$work" "$@"
    else
        "$@"
    fi
}
