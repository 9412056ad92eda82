#!/bin/bash
# On a kernel of its own: a machine whose version 2 of cgroups has all controllers, as systemd machines have and as many containers and this project's
# build machines have not. The supervisor starts there, is killed and adopts, below a process 1 that is none of ours; TERM stops all. Then the
# checks that need controllers run as they are.
cd -- "$(dirname -- "$0")/../../.." && . .ci/checks/lib.sh

for controller in memory pids cpu; do
    grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || fail "this kernel has no $controller controller: $(cat /sys/fs/cgroup/cgroup.controllers)"
done
echo '+memory +pids +cpu' >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/probe
for file in memory.max pids.max cpu.max cgroup.kill; do
    [ -e "/sys/fs/cgroup/probe/$file" ] || fail "a group has no $file"
done
rmdir /sys/fs/cgroup/probe
ok "cgroup v2 with memory, pids and cpu on Linux $(uname -r)"

cat >"$work/services.yml" <<'YML'
defaults: {ready: {delay: 0s}, backoff: {initial: 0s, max: 0s}}
services:
  sleeper: {command: sleep 1000}
  worker: {shell: true, command: "echo up; setsid sleep 1001 & exec sleep 1002"}
YML
supervise d "$work/services.yml"
within 20 is d '[.services[] | select(.state == "RUNNING")] | length == 2'
[ "$(ctl d status --json | jq '.services | length')" = 2 ] || fail "status does not show all"
before=$(value d '[.services[].pid] | tostring')
ok "it runs, and status answers"

crash
supervise d "$work/services.yml"
is d '[.services[] | select(.adopted)] | length == 2' >/dev/null || fail "not all were adopted"
[ "$(value d '[.services[].pid] | tostring')" = "$before" ] || fail "a crash disturbed services"
kill -KILL "$(value d 's("sleeper").pid')"
within 10 is d 's("sleeper") | .state == "RUNNING" and .restarts == 1'
ok "killed with -9, it adopts all of them, and restarts what dies after that"

kill -TERM "$pid"
ends "$pid" 0 20
within 5 no_service_left
ok "TERM stops all, with exit code 0"

