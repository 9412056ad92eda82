#!/bin/bash
# Logs on demand: `logs --rotate` at full speed ends each file between two lines and loses none. The real logrotate works beside us, by
# renaming and by copytruncate, and our events file may be rotated by others, too.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'YAML'
defaults: {ready: {delay: 0s}, log: {max_size: 1GiB, max_files: 500}}
services:
  flood: {shell: true, command: 'i=1; while :; do seq $i $((i + 999)); i=$((i + 1000)); done'}
  stamped: {shell: true, command: 'i=0; while :; do i=$((i + 1)); echo "$i"; done', log: {timestamps: true}}
  slow: {shell: true, command: 'i=0; while :; do i=$((i + 1)); echo "$i"; sleep 0.01; done', log: {stderr: file}}
  prompt: {shell: true, command: 'printf password:; exec sleep 1000'}
  silent: {command: sleep 1000}
  nolog: {command: sleep 1000, log: none}
YAML
logs=$work/l/state/logs

# all NAME: everything in its log and the rotated files, oldest first; those that logrotate made have names that sort by number.
all() {
    local number
    for number in $(seq 500 -1 1); do
        [ ! -e "$logs/$1.log.$number" ] || cat "$logs/$1.log.$number"
    done
    cat "$logs/$1.log"
}

# whole NAME: every line of it is there once, in order; the last one may be on its way.
whole() {
    all "$1" | sed 's/^.*Z //' | awk -v name="$1" '
        $0 != NR { if (bad) exit; bad = NR; what = $0 }
        END { if (bad && bad < NR) { print name ": line " bad " is " what; exit 1 }
              if (NR < 100) { print name ": only " NR " lines"; exit 1 }
              print "        " name ": " NR " lines" }'
}

# all_are CHECK: the writers are stopped, and `CHECK NAME` holds of each of them.
all_are() {
    local service
    exits 0 ctl l stop flood stamped slow
    for service in flood stamped slow; do
        "$1" "$service" || fail "lines are missing, twice or out of order"
    done
}

# logrotate_by CONF
logrotate_by() {
    logrotate -f -s "$work/rotate.state" "$1" >"$work/logrotate.out" 2>&1 || fail "logrotate: $(cat "$work/logrotate.out")"
}

supervise l "$work/services.yml"
within 10 is l '[.services[] | select(.state == "RUNNING")] | length == 6'
within 10 test -s "$logs/prompt.log"

exits 4 ctl l logs --rotate wbe
exits 1 ctl l logs --rotate nolog
says "has no log file"
exits 64 ctl l logs
exits 0 ctl l logs --rotate slow
says "slow.log: rotated" "slow.err.log: empty"
exits 0 ctl l logs --rotate --json slow
jq -e '.results[0].name == "slow" and .results[0].done' "$work/said" >/dev/null || fail "no JSON: $(cat "$work/said")"
exits 0 ctl l logs --rotate prompt
[ "$(cat "$logs/prompt.log.1")" = "password:" ] || fail "what has no end of a line is not rotated"
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    # An empty log is not rotated, and on a busy machine it may still be empty.
    within 10 test -s "$logs/flood.log"
    ask l /v1/rotate -X POST >"$work/rotated"
    jq -e '[.results[].done] | all' "$work/rotated" >/dev/null || fail "round $round: $(cat "$work/rotated")"
done
for file in "$logs"/{flood,stamped,slow}.log.*; do
    [ -z "$(tail -c 1 "$file")" ] || fail "$file does not end between two lines"
done
[ -e "$logs/flood.log.20" ] || fail "flood was not rotated each time"
jq -se 'map(select(.event == "asked" and .what == "rotate")) | length >= 20' "$work/l/state/events.ndjson" >/dev/null || fail "nobody says who rotated"
all_are whole
ok "logs --rotate: twenty times at full speed, every line once, each file ends between two lines"

rm -f "$logs"/*.log.*
for service in flood stamped slow; do
    : >"$logs/$service.log"
done
mv "$work/l/state/events.ndjson" "$work/l/state/events.mine"
exits 0 ctl l start flood stamped slow
within 5 test -s "$work/l/state/events.ndjson"
ok "the events file was renamed: a new one is begun"

if ! command -v logrotate >/dev/null; then
    skip "no logrotate"
else
    printf '"%s/*.log" {\n rotate 400\n missingok\n notifempty\n nocompress\n nocreate\n su %s %s\n}\n' \
        "$logs" "$(id -un)" "$(id -gn)" >"$work/rename.conf"
    for round in 1 2 3 4 5 6 7 8 9 10; do
        within 10 test -s "$logs/flood.log"
        logrotate_by "$work/rename.conf"
        sleep 0.1
    done
    all_are whole
    [ -e "$logs/flood.log.10" ] || fail "logrotate has not rotated"
    ok "logrotate renames, ten times at full speed: every line once"

    # copied NAME: of every file but its first and last line, which copytruncate may have cut: all numbers rise.
    copied() {
        local number file
        for number in $(seq 500 -1 0); do
            file=$logs/$1.log.$number
            [ "$number" != 0 ] || file=$logs/$1.log
            [ ! -e "$file" ] || sed -e 1d -e '$d' "$file"
        done | sed 's/^.*Z //' | awk -v name="$1" '
            $0 !~ /^[0-9]+$/ || $0 <= last { print name ": " $0 " after " last; bad = 1; exit }
            { last = $0 + 0; lines++ }
            END { if (bad) exit 1
                  if (lines < 20) { print name ": only " lines " lines"; exit 1 }
                  print "        " name ": " lines " of " last " lines" }'
    }
    afresh() {
        rm -f "$logs"/*.log.*
        for service in flood stamped slow; do
            : >"$logs/$service.log"
        done
        exits 0 ctl l start flood stamped slow
        within 10 test -s "$logs/slow.log"
    }
    sed 's/nocreate/copytruncate/' "$work/rename.conf" >"$work/copy.conf"

    afresh
    for round in 1 2 3 4 5; do
        within 10 test -s "$logs/flood.log"
        logrotate_by "$work/copy.conf"
        sleep 0.1
    done
    within 10 test -s "$logs/flood.log"
    all_are copied
    [ -e "$logs/flood.log.5" ] || fail "logrotate has not rotated"
    ok "logrotate with copytruncate, five times at full speed: nothing twice, all in order"

    # Who is quiet between the copy and the emptying loses nothing.
    signal_all() {
        for service in flood stamped slow; do
            kill "-$1" -- "-$(value l "s(\"$service\").pid")"
        done
    }
    sizes() { stat -c %s "$logs"/{flood,stamped,slow}.log; }
    quiet() {
        local before
        before=$(sizes)
        sleep 0.3
        [ "$(sizes)" = "$before" ]
    }
    afresh
    for round in 1 2 3; do
        sleep 0.5
        within 10 test -s "$logs/flood.log"
        signal_all STOP
        within 10 quiet
        logrotate_by "$work/copy.conf"
        signal_all CONT
    done
    sleep 0.5
    all_are whole
    [ -e "$logs/flood.log.3" ] || fail "logrotate has not rotated"
    ok "logrotate with copytruncate while the services write nothing: every line once"
fi
kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
