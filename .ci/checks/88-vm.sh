#!/bin/bash
# The built product on kernels of its own, in QEMU: where version 2 of cgroups has all controllers, and where it is process 1: what this machine cannot
# show, because others live on it too. The scenarios are in .ci/vm/scenarios, the means in .ci/vm/run.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh && . .ci/vm/lib.sh

boot init --init
boot controllers
ended init
has_said init "^  ok .*process 1 and answers" "^  ok .*reaps what loses its parent" "^  ok .*neither KILL nor STOP" supervisor-ended
ok "process 1 ended in order at TERM, with exit code 0"
ended controllers
