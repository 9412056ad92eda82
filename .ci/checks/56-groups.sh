#!/bin/bash
# Services that are restarted together: the strategies of groups, restart: true, what an operator has stopped, and a supervisor that is killed
# in the middle.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

pid_of() { ctl "$1" status "$2" --json | jq -r '.services[0].pid'; }

# note NAME SERVICE..: their pids are those of before from now on.
declare -A before
note() {
    local name=$1 service
    shift
    for service; do
        before[$service]=$(pid_of "$name" "$service")
    done
}

# another NAME SERVICE..: all run, each in another process than before.
another() {
    local name=$1 service
    shift
    for service; do
        is "$name" "s(\"$service\") | .state == \"RUNNING\" and .pid != ${before[$service]}" >/dev/null || return 1
    done
}

# same NAME SERVICE..: each still runs in the process of before.
same() {
    local name=$1 service
    shift
    for service; do
        is "$name" "s(\"$service\") | .state == \"RUNNING\" and .pid == ${before[$service]}" >/dev/null ||
            fail "$service does not run as before"
    done
}

running() {
    local name=$1 service
    shift
    for service; do
        within 20 is "$name" "s(\"$service\").state == \"RUNNING\""
    done
}

cat >"$work/shop.yml" <<END
defaults: {command: sleep 100000, ready: {delay: 50ms}, backoff: {initial: 200ms, max: 200ms, jitter: 0}}
groups:
  every: {strategy: one_for_all}
  rest: {strategy: rest_for_one}
  alone: {services: [a1, a2]}
services:
  e1: {group: every}
  r1: {group: rest}
  e2: {group: every}
  r2: {group: rest}
  e3: {group: every}
  r3: {group: rest}
  a1: {}
  a2: {}
  db: {}
  web: {depends_on: {db: {restart: true}}}
  front: {depends_on: {web: {restart: true, condition: started}}}
  mail: {depends_on: [db]}
END
supervise shop "$work/shop.yml"
all=(e1 e2 e3 r1 r2 r3 a1 a2 db web front mail)
running shop "${all[@]}"

note shop "${all[@]}"
kill -KILL "${before[e2]}" "${before[r2]}" "${before[a2]}" "${before[db]}"
within 20 another shop e1 e2 e3 r2 r3 a2 db web front
same shop r1 a1 mail
is shop 's("e1") | .restarts == 0 and .last_exit.cause == "group" and (.last_exit.reason | startswith("restarted with e2: "))' >/dev/null || fail "e1 does not say why"
is shop 's("front") | .last_exit.cause == "dependency"' >/dev/null || fail "front does not say why"
is shop 's("e2").restarts == 1' >/dev/null || fail "the restart of e2 is not counted"
ctl shop events | grep restarting-others | grep -q e2 || fail "no event tells of it"
ok "a strategy says who is restarted with whom; restart: true restarts those that depend on it, and theirs"

note shop "${all[@]}"
ctl shop restart db >/dev/null
within 20 another shop db web front
ctl shop restart e1 >/dev/null
same shop e2 e3 mail
ok "an operator's restart restarts those with restart: true, and no group"

ctl shop stop e1 >/dev/null
note shop e2 e3
kill -KILL "${before[e3]}"
within 20 another shop e2 e3
is shop 's("e1") | .state == "STOPPED" and .wanted == "down"' >/dev/null || fail "e1 was stopped, and is started by its group"
ok "what an operator has stopped stays stopped"

sed 's/one_for_all/one_for_one/' "$work/shop.yml" >"$work/other.yml" && mv "$work/other.yml" "$work/shop.yml"
ctl shop reload | grep -q groups || fail "the reload does not tell of the group"
note shop e2 e3
kill -KILL "${before[e3]}"
within 20 another shop e3
same shop e2
ok "a reload takes over another strategy without a restart"
kill -TERM "$pid"
within 20 gone "$pid"

# ---- a supervisor that is killed in the middle ----

slow='trap "sleep 2; exit 0" TERM; while :; do sleep 0.05; done'
cat >"$work/slow.yml" <<END
defaults: {shell: true, ready: {delay: 50ms}, stop_timeout: 10s, backoff: {initial: 200ms, max: 200ms, jitter: 0}}
groups: {every: {strategy: one_for_all}}
services:
  first: {command: exec sleep 100000, group: every}
  second: {command: '$slow', group: every}
  third: {command: '$slow', group: every, depends_on: [second]}
END
for at in 0 0.5 2.2; do
    supervise slow "$work/slow.yml"
    running slow first second third
    note slow first second third
    kill -KILL "${before[first]}"
    sleep "$at"
    crash
    supervise slow "$work/slow.yml"
    within 30 another slow first second third
    kill -TERM "$pid"
    within 30 gone "$pid"
done
within 10 nothing_left
ok "a supervisor that is killed in the middle is followed by one that goes on with it"

# ---- what cannot be ----

cat >"$work/bad.yml" <<END
groups: {g: {strategy: all_for_one}}
services:
  a: {command: x, depends_on: {b: {restart: true}}}
  b: {command: x, depends_on: [c]}
  c: {command: x, depends_on: [a]}
END
exits 78 "$JSUPERVISE" check "$work/bad.yml"
says 'strategy "all_for_one" is unknown'
says 'in a circle: a -> b -> c -> a'
ok "an unknown strategy and a circle are told, with the way round"
