#!/bin/bash
# The supervisor is killed with -9 again and again while services write as fast as they can, into logs that are rotated, compressed and
# stamped, and while nobody supervises somebody removes their FIFOs or puts others there. In the end each line is there once. Who is no
# longer in the services file has its last words in its log.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

services() {
    cat <<'END'
defaults: {shell: true, ready: {delay: 100ms}}
services:
  rotated: {command: 'i=0; while :; do i=$((i + 1)); echo "$i"; done', log: {max_size: 512KiB, max_files: 1000}}
  packed: {command: 'i=0; while :; do i=$((i + 1)); echo "$i"; done', log: {max_size: 512KiB, max_files: 1000, compress: true}}
  stamped: {command: 'i=0; while :; do i=$((i + 1)); echo "$i"; done', log: {max_size: 512KiB, max_files: 1000, timestamps: true}}
  errors: {command: 'i=0; while :; do i=$((i + 1)); echo "$i" >&2; done', log: {stderr: file, max_size: 512KiB, max_files: 1000}}
END
}
services >"$work/without.yml"
{
    services
    # shellcheck disable=SC2016 # it is the service's shell that expands it
    echo '  leaving: {command: "trap \"echo last words; exit 0\" TERM; echo first words; while :; do sleep 0.1; done", log: {file: leaving.txt}}'
} >"$work/services.yml"
names='"rotated", "packed", "stamped", "errors"'
running="[s($names)] | length == 4 and all(.state == \"RUNNING\")"
pids_of() { value o "[s($names) | .pid] | tostring"; }
fifos=$work/o/state/fifo

# lines LOG: everything that it has, oldest first. Where a file is there in both forms, they hold the same.
lines() {
    local log=$work/o/state/logs/$1 number
    for number in $(seq 1000 -1 1); do
        if [ -e "$log.$number.gz" ]; then
            gzip -dc "$log.$number.gz"
        elif [ -e "$log.$number" ]; then
            cat "$log.$number"
        fi
    done
    cat "$log"
}

supervise o "$work/services.yml"
within 10 is o "$running"
before=$(pids_of)
leaving=$(value o 's("leaving").pid')
within 10 grep -q "first words" "$work/leaving.txt"
for round in 1 2 3 4 5 6 7 8 9; do
    sleep "0.$((RANDOM % 9))"
    kill -KILL "$pid"
    { wait "$pid" || true; } 2>/dev/null
    case $round in
    3) rm "$fifos/rotated.out" "$fifos/stamped.out" ;;
    5) rm "$fifos/packed.out" "$fifos/errors.err" && mkfifo "$fifos/packed.out" && echo else >"$fifos/errors.err" ;;
    7) rm -r "$fifos" ;;
    esac
    file=$work/services.yml
    [ "$round" -lt 9 ] || file=$work/without.yml
    supervise o "$file"
    within 10 is o "$running"
    [ "$(pids_of)" = "$before" ] || fail "round $round: other processes: $before, then $(pids_of)"
done
ok "killed nine times: the same processes, with whatever was left of their FIFOs"

within 10 gone "$leaving"
within 5 grep -q "last words" "$work/leaving.txt"
ok "who left the services file has its last words in its log"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
for log in rotated.log packed.log stamped.log errors.err.log; do
    lines "$log" | sed 's/^.*Z //' | awk -v name="$log" '
        $0 != NR { print name ": line " NR " is " $0; bad = 1; exit }
        END { if (!bad && NR < 10000) { print name ": only " NR " lines"; bad = 1 } if (!bad) print "        " name ": " NR " lines"; exit bad }' \
        || fail "lines are missing, twice or out of order"
done
ls "$work"/o/state/logs/packed.log.*.gz >/dev/null || fail "nothing was compressed"
ok "every line is there once"
