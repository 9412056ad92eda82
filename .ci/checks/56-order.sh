#!/bin/bash
# Who starts and stops before whom, one-shots and the exit code of run, and hooks: in order, failing, hanging, and beside a supervisor that
# is killed.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

story() { { grep -n "^$1\$" "$work/story" || true; } | head -n 1 | cut -d: -f1; }

# before A B: both are in the story, in this order.
before() {
    local first second
    first=$(story "$1") second=$(story "$2")
    if [ -z "$first" ] || [ -z "$second" ] || [ "$first" -ge "$second" ]; then
        cat "$work/story" >&2
        fail "not in this order: $1, $2"
    fi
}

# ---- order of start and stop ----

cat >"$work/shop.yml" <<END
defaults: {shell: true, stop_timeout: 10s}
services:
  web:
    command: echo web-starts >>$work/story; trap 'sleep 0.5; echo web-ends >>$work/story; exit 0' TERM; while :; do sleep 0.1; done
    depends_on: {migrate: {condition: completed}, db: {condition: ready}}
    ready: {delay: 100ms}
  db:
    command: echo db-starts >>$work/story; trap 'echo db-ends >>$work/story; exit 0' TERM; while :; do sleep 0.1; done
    ready: {delay: 200ms}
  migrate:
    type: oneshot
    command: echo migrate-starts >>$work/story; sleep 0.5; echo migrate-ends >>$work/story
    depends_on: [db]
  broken: {type: oneshot, command: exit 3}
  after-broken: {command: sleep 1000, depends_on: [broken]}
END
supervise shop "$work/shop.yml"
within 20 is shop 's("web").state == "RUNNING"'
before db-starts migrate-starts
before migrate-ends web-starts
is shop 's("migrate").state == "EXITED" and s("migrate").last_exit.code == 0 and s("migrate").type == "oneshot"' >/dev/null || fail "the migration is not EXITED"
within 10 is shop 's("after-broken") | .state == "WAITING" and .waiting_for == ["broken: ready, but it has ended: exit 3"]'
ok "a server starts after its migration, that after its database; who waits in vain says for whom"

exits 1 ctl shop start broken
says "exit 3"
exits 1 ctl shop start after-broken --timeout 1s
says "broken: ready"
kill -KILL "$pid"
within 10 gone "$pid"
supervise shop "$work/shop.yml"
within 10 is shop 's("web").state == "RUNNING" and s("web").adopted and s("migrate").state == "EXITED"'
[ "$(grep -c migrate-starts "$work/story")" = 1 ] || fail "the migration ran again"
ok "after a kill what ran is adopted, and the migration does not run again"

kill -TERM "$pid"
within 20 gone "$pid"
before web-ends db-ends
ok "the server ends before its database"

# ---- nothing but one-shots ----

cat >"$work/well.yml" <<END
services:
  second: {type: oneshot, command: "true", depends_on: [first]}
  first: {type: oneshot, command: sleep 0.2}
  not-wanted: {type: oneshot, command: "false", autostart: false}
END
exits 0 "$JSUPERVISE" run "$work/well.yml" --state-dir "$work/well/state" --runtime-dir "$work/well/run"
cat >"$work/ill.yml" <<END
services:
  second: {type: oneshot, command: "true", depends_on: [first]}
  first: {type: oneshot, command: "false"}
END
exits 1 "$JSUPERVISE" run "$work/ill.yml" --state-dir "$work/ill/state" --runtime-dir "$work/ill/run"
supervise stays "$work/well.yml" --stay
within 10 is stays 's("second").state == "EXITED"'
sleep 0.3
is stays 's("first").state == "EXITED"' >/dev/null || fail "it did not stay"
kill -TERM "$pid"
within 10 gone "$pid"
ok "run ends with the last one-shot: 0 where all succeeded, else 1; --stay stays"

# ---- hooks ----

: >"$work/story"
cat >"$work/hooks.yml" <<END
defaults:
  shell: true
  backoff: {initial: 100ms, max: 100ms}
  ready: {delay: 100ms}
services:
  hooked:
    command: echo main >>$work/story; exec sleep 1000
    pre_start: echo "\$JSUPERVISE_HOOK" >>$work/story
    post_start: echo "\$JSUPERVISE_HOOK \${JSUPERVISE_PID:+pid}" >>$work/story
    stop_command: echo "\$JSUPERVISE_HOOK" >>$work/story; kill -KILL \$JSUPERVISE_PID
    post_stop: echo "\$JSUPERVISE_HOOK \$JSUPERVISE_CAUSE \$JSUPERVISE_EXIT_CODE\$JSUPERVISE_EXIT_SIGNAL" >>$work/story
  no-start:
    command: echo no-start >>$work/story; exec sleep 1000
    pre_start: exit 4
    restart: never
  hangs:
    command: echo hangs >>$work/story; exec sleep 1000
    pre_start: {command: 'sleep 7621 & exec sleep 7622', timeout: 500ms}
    restart: never
  no-warm-up:
    command: exec sleep 1000
    post_start: exit 5
    restart: never
  slow:
    command: exec sleep 1000
    pre_start: echo slow-begins >>$work/story; echo \$\$ >$work/slow; exec sleep \$(cat $work/nap)
    post_stop: echo slow-cleared >>$work/story
    autostart: false
  no-tools:
    shell: false
    command: sleep 1000
    stop_command: [/nowhere/stop, --now]
  no-post:
    shell: false
    command: sh -c "echo no-post >>$work/story; exec sleep 1000"
    post_start: [/nowhere/warm-up]
    backoff: {initial: 60s, max: 60s}
END
echo 0 >"$work/nap"
exits 0 "$JSUPERVISE" check "$work/hooks.yml"
says "$work/hooks.yml:32:19: warning: stop_command cannot be executed by now: /nowhere/stop: ENOENT" "$work/hooks.yml:36:17: warning: post_start cannot be executed by now"
supervise hooks "$work/hooks.yml"
within 20 is hooks 's("hooked").state == "RUNNING"'
before pre_start main
before main "post_start pid"
within 10 is hooks 's("no-start") | .state == "FATAL" and .last_exit.cause == "pre-start" and (.fatal_reason | contains("exit 4"))'
within 10 is hooks 's("hangs") | .state == "FATAL" and (.fatal_reason | contains("not done within 500ms"))'
within 10 is hooks 's("no-warm-up") | .state == "EXITED" and .last_exit.cause == "post-start"'
! grep -qE '^(no-start|hangs)$' "$work/story" || fail "a process was made though its pre_start failed"
! pgrep -f 'sleep 762[12]' >/dev/null || fail "a hook that hangs was left behind"
kill -KILL "$(value hooks 's("hooked").pid')"
within 10 grep -q '^post_stop signal SIGKILL$' "$work/story"
within 10 is hooks 's("hooked") | .state == "RUNNING" and .restarts == 1'
within 10 is hooks 's("no-tools").state == "RUNNING"'
within 10 is hooks 's("no-post") | .state == "BACKOFF" and .last_exit.cause == "start-failed" and (.last_exit.reason | contains("its post_start: /nowhere/warm-up: ENOENT"))'
! grep -q no-post "$work/story" || fail "a process was made though its post_start cannot be"
jq -se 'any(.event == "hook-missing" and .service == "no-tools" and .hook == "stop_command" and (.reason | contains("/nowhere/stop: ENOENT")))' \
    "$work/hooks/state/events.ndjson" >/dev/null || fail "a hook that is not there is not told of"
exits 0 ctl hooks stop no-tools
ok "hooks that cannot be executed are told by check, and before the process is made that they follow"
exits 0 ctl hooks stop hooked
before stop_command "post_stop operator SIGKILL"
grep -q hook-failed "$work/hooks/state/events.ndjson" || fail "a hook that failed is not told of"
ok "hooks run in their order and are told what they need; one that fails or hangs is handled as documented"

# ---- hooks and kills ----

echo 1000 >"$work/nap"
exits 0 ctl hooks start slow --no-wait
within 10 test -s "$work/slow"
within 10 is hooks 's("slow").hook == "pre_start"'
hook=$(cat "$work/slow")
kill -KILL "$pid"
within 10 gone "$pid"
echo 0 >"$work/nap"
supervise hooks "$work/hooks.yml"
within 10 gone "$hook"
within 10 is hooks 's("slow") | .state == "RUNNING" and .restarts == 0'
[ "$(grep -c slow-begins "$work/story")" = 2 ] || fail "pre_start did not run again"
[ "$(value hooks 's("slow").pid')" != "$hook" ] || fail "a hook was taken for the service"
kill -TERM "$pid"
within 20 gone "$pid"
grep -q slow-cleared "$work/story" || fail "post_stop did not run at the end"
within 5 nothing_left
ok "a hook whose supervisor was killed is ended and run again, and never taken for the service"

# ---- the example ----

launch example config-examples/migration.yml
within 20 is example 's("server").state == "RUNNING" and s("migrate").state == "EXITED"'
kill -TERM "$pid"
within 20 gone "$pid"
grep -oE 'the (server|database) ends' "$work/example/out" >"$work/ends" || true
printf 'the server ends\nthe database ends\n' | diff - "$work/ends" || fail "the example does not end in order"
ok "config-examples/migration.yml: the migration, then the server, which ends before its database"
