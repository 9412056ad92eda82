#!/bin/bash
# Programs that do their worst, on kernels of their own, in QEMU: within the limits of control groups with all controllers, and without any.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh && . .ci/vm/lib.sh

boot hostile
boot resources
ended resources
ended hostile
