#!/bin/bash
# The built product on kernels of its own, in QEMU: where version 2 of cgroups has all controllers, and where it is process 1: what this machine cannot
# show, because others live on it too. The scenarios are in .ci/vm/scenarios, the means in .ci/vm/run; two at a time.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

code=0
.ci/vm/image "${JSUPERVISE_VM:-target/vm}" 2>"$work/said" || code=$?
[ "$code" = 0 ] || { cat "$work/said" >&2 && fail "there is no image for a virtual machine"; }

# The product's clock in there goes by instructions: nothing is late because this machine is busy, the whole only takes longer.
boot() {
    local name=$1
    shift
    TMPDIR=$work exec .ci/vm/run --keep-image --timeout 210 "$@" ".ci/vm/scenarios/$name.sh" >"$work/$name" 2>&1 </dev/null
}
boot init --init &
init=$!
boot controllers &
controllers=$!
pids+=("$init" "$controllers")

tell() { grep -E '^  (ok|skip|FAIL) |^vm: [0-9]|^vm: reset' "$work/$1" || true; }
ended() {
    local code=0
    wait "$2" || code=$?
    tell "$1"
    [ "$code" = 0 ] || { tail -n 100 "$work/$1" >&2 && fail "scenario $1: exit code $code"; }
}
ended init "$init"
for said in "process 1 and answers" "reaps what loses its parent" "neither KILL nor STOP"; do
    grep -q "^  ok .*$said" "$work/init" || { tail -n 100 "$work/init" >&2 && fail "scenario init does not come to: $said"; }
done
grep -q supervisor-ended "$work/init" || fail "process 1 did not end in order"
ok "process 1 ended in order at TERM, with exit code 0"
ended controllers "$controllers"
