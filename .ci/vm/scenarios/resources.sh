#!/bin/bash
# On a kernel of its own: the limits of the check of control groups, with all controllers, so a fork bomb, a memory hog and a busy loop are let
# loose. What skips for want of a controller is a failure here.
cd -- "$(dirname -- "$0")/../../.." || exit
.ci/checks/59-resources.sh limits 2>&1 | tee /tmp/said
code=${PIPESTATUS[0]}
if grep -q '^  skip' /tmp/said; then
    echo "  FAIL  resources: something was skipped"
    exit 1
fi
exit "$code"
