# What checks of .ci/checks share that run scenarios in virtual machines, some at a time; read after .ci/checks/lib.sh.
# shellcheck shell=bash
vm_code=0
.ci/vm/image "${JSUPERVISE_VM:-target/vm}" 2>"${work:?}/said" || vm_code=$?
# What cannot be tried is not proved: a machine without apt, or without a kernel to be had, fails here and says why.
[ "$vm_code" = 0 ] || { cat "$work/said" >&2 && fail "there is no image for a virtual machine"; }

# boot NAME [OPTION..]: the scenario of that name, beside us. The product's clock in there goes by instructions: nothing is late because this machine
# is busy, the whole only takes longer.
declare -A vm_pids
boot() {
    local name=$1
    shift
    TMPDIR=$work .ci/vm/run --keep-image --timeout 360 "$@" ".ci/vm/scenarios/$name.sh" >"$work/$name" 2>&1 </dev/null &
    vm_pids[$name]=$!
    pids+=("$!")
}

# ended NAME: waits for it, and shows what it came to; all of it, the machine's console included, where it failed.
ended() {
    local code=0
    wait "${vm_pids[$1]}" || code=$?
    [ "$code" = 0 ] || { tail -n 150 "$work/$1" >&2 && fail "scenario $1: exit code $code"; }
    grep -E '^  (ok|skip) |^vm: ([0-9]|reset)' "$work/$1"
}

# has_said NAME TEXT..: for a scenario whose end alone does not say that it got there.
has_said() {
    local name=$1 text
    shift
    for text in "$@"; do
        grep -q -- "$text" "$work/$name" || { tail -n 150 "$work/$name" >&2 && fail "scenario $name does not come to: $text"; }
    done
}
