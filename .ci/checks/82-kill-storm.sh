#!/bin/bash
# The supervisor killed with -9 again and again, at random moments, under load: nothing runs twice, no line of output is lost or
# repeated, no restart is forgotten, what was stopped stays stopped. How it is tried and what exactly must hold stands in kill_storm.py.
#
# JSUPERVISE_KILLS=1000 for more kills than the usual 50 (or as many of them as fit into two and a half minutes, on a busy machine),
# JSUPERVISE_SEED=N for the same random numbers once more.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

seed=${JSUPERVISE_SEED:-$RANDOM$RANDOM}
if [ -n "${JSUPERVISE_KILLS:-}" ]; then
    amount=(--kills "$JSUPERVISE_KILLS")
else
    amount=(--kills 50 --seconds 150)
fi
# The services die of SIGSEGV, too.
ulimit -c 0
python3 .ci/checks/kill_storm.py "${amount[@]}" --seed "$seed" "$JSUPERVISE" "$work" || fail "see above (JSUPERVISE_SEED=$seed)"
