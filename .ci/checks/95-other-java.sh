#!/bin/bash
# Every Java of this machine from 17 on runs it, in silence: no warning of the JVM, no archive that does not fit.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<'END'
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  sleeper: {command: sleep 1000}
END
tried=0
for home in /usr/lib/jvm/*; do
    if [ -h "$home" ] || [ ! -x "$home/bin/java" ] || [ ! -r "$home/release" ]; then
        continue
    fi
    major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    [ "${major:-0}" -ge 17 ] || continue
    export JSUPERVISE_JAVA=$home
    supervise "java$major" "$work/services.yml"
    within 10 is "java$major" 's("sleeper").state == "RUNNING"'
    kill -KILL "$(value "java$major" 's("sleeper").pid')"
    within 10 is "java$major" 's("sleeper") | .restarts == 1 and .state == "RUNNING"'
    exits 0 ctl "java$major" status --json
    jq -e '.services[0].name == "sleeper"' "$work/said" >/dev/null || { cat "$work/said" && fail "more than JSON comes out"; }
    kill -TERM "$pid"
    ends "$pid" 0 20
    ! grep -Eiq 'warning|archive|native' "$work/java$major/out" || fail "the JVM has something to say"
    nothing_left || fail "left behind: $(bearers)"
    ok "Java $major"
    tried=$((tried + 1))
done
[ "$tried" -ge 1 ] || skip "no Java under /usr/lib/jvm"
