#!/bin/bash
# Readiness and health with real programs: systemd-notify, redis, PostgreSQL, nginx, memcached, a shell and a Python program that say how they are (sd_notify), and
# checks by http and tcp. Over a kill of the supervisor, and with somebody who wants to speak for another.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

# Ports that nobody else has.
base=$((20000 + $$ % 10000))
redis=$base nginx=$((base + 1)) memcached=$((base + 2)) python=$((base + 3)) postgres=$((base + 4))
mkdir "$work/redis" "$work/nginx" "$work/pg"
# PostgreSQL does not run as root.
chmod 711 "$work"
postgres_user='' as_postgres=()
if [ "$(id -u)" = 0 ]; then
    postgres_user='user: postgres,'
    as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --)
    chown postgres "$work/pg"
fi
pg=$(find /usr/lib/postgresql -path '*/bin/postgres' | sort -V | tail -n 1)
pg=${pg%/postgres}
(cd "$work/pg" && "${as_postgres[@]}" "$pg/initdb" -D "$work/pg/data" -A trust --no-sync >"$work/initdb" 2>&1) || { cat "$work/initdb" && fail "initdb"; }
cat >"$work/nginx.conf" <<END
daemon off;
pid $work/nginx/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx; uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
    server { listen 127.0.0.1:$nginx; location = /health { return 204; } location / { return 500; } }
}
END
cat >"$work/pinger.py" <<'END'
import os, socket, sys, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def say(what):
    notify.sendto(what.encode(), os.environ["NOTIFY_SOCKET"])
say("STATUS=warming up")
time.sleep(0.5)
assert os.environ["WATCHDOG_PID"] == str(os.getpid())
say("READY=1\nSTATUS=pings every %s us" % os.environ["WATCHDOG_USEC"])
began = time.monotonic()
while True:
    if not os.path.exists(sys.argv[1]):
        try:
            say("WATCHDOG=1")
        except OSError:
            pass  # Nobody supervises at the moment.
    time.sleep(0.2)
END
cat >"$work/forker.py" <<'END'
# As daemons of old: the process that was started names another one, which has left its session, and ends.
import os, socket, sys, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
child = os.fork()
if child == 0:
    os.setsid()
    while True:
        time.sleep(0.05)
        if os.path.exists(sys.argv[1]):
            os.unlink(sys.argv[1])
            sys.exit(9)
notify.sendto(b"MAINPID=1", os.environ["NOTIFY_SOCKET"])
notify.sendto(b"MAINPID=%d\nREADY=1" % child, os.environ["NOTIFY_SOCKET"])
END
cat >"$work/server.py" <<'END'
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists(sys.argv[2]) else 200)
        self.end_headers()
        self.wfile.write(b"x" * 100000)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
END
cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 200ms, max: 200ms}, stop_timeout: 2s, start_timeout: 20s}
services:
  shell:
    shell: true
    command: 'systemd-notify --ready --status="said by a child"; while :; do systemd-notify WATCHDOG=1; sleep 0.3; done'
    ready: {notify: true}
    watchdog_timeout: 3s
  python:
    command: [python3, $work/pinger.py, $work/hang]
    ready: {notify: true}
    watchdog_timeout: 2s
  redis:
    command: [redis-server, --port, "$redis", --bind, 127.0.0.1, --supervised, systemd, --dir, $work/redis, --save, ""]
    ready: {notify: true}
  postgres: {${postgres_user} command: [$pg/postgres, -D, $work/pg/data, -k, $work/pg, -h, 127.0.0.1, -p, "$postgres"],
    ready: {notify: true}, stop_signal: INT, stop_timeout: 10s,
    checks: {sql: {exec: [psql, -qAt, -h, 127.0.0.1, -p, "$postgres", -U, $(id -un "$(stat -c %u "$work/pg")"), -c, "select 1", postgres], interval: 300ms, timeout: 2s}}}
  nginx:
    command: [nginx, -c, $work/nginx.conf]
    ready: {http: "http://127.0.0.1:$nginx/health"}
    checks: {front: {http: "http://localhost:$nginx/health", interval: 300ms, timeout: 1s}}
  memcached:
    command: [memcached, -u, nobody, -l, 127.0.0.1, -p, "$memcached"]
    ready: {tcp: "127.0.0.1:$memcached"}
    checks: {door: {tcp: "127.0.0.1:$memcached", interval: 300ms}}
  after: {command: sleep 1000, depends_on: [redis, memcached, nginx, python]}
  server:
    command: [python3, $work/server.py, "$python", $work/sick]
    ready: {http: "http://127.0.0.1:$python/"}
    checks: {page: {http: "http://127.0.0.1:$python/", interval: 200ms, timeout: 1s, retries: 3}}
  never: {command: sleep 1000, ready: {notify: true}, start_timeout: 1s, restart: never}
  filer:
    shell: true
    command: 'sleep 0.5; echo \$\$ > $work/filer.pid; exec sleep 1000'
    ready: {file: $work/filer.pid}
  deaf:
    shell: true
    command: 'echo "NOTIFY_SOCKET=\${NOTIFY_SOCKET:-none} \${WATCHDOG_USEC:-none} \${WATCHDOG_PID:-none}" > $work/deaf; exec sleep 1000'
  forks:
    command: [python3, $work/forker.py, $work/forked]
    ready: {notify: true}
  stops:
    shell: true
    command: 'systemd-notify --ready; sleep 1; systemd-notify STOPPING=1; exit 7'
    ready: {notify: true}
    restart: on-failure
    success_exit_codes: [7]
END
echo stale >"$work/filer.pid"
supervise h "$work/services.yml"
for name in shell python redis postgres nginx memcached after server filer; do
    within 20 is h "s(\"$name\") | .state == \"RUNNING\""
done
is h 's("shell").notify | .status == "said by a child" and .state == "ready" and .watchdog_timeout_ms == 3000' >/dev/null
is h 's("python").notify.status == "pings every 2000000 us"' >/dev/null
[ "$(stat -c '%a %F' "$work/h/run/notify/python")" = "600 socket" ] || fail "$(ls -l "$work/h/run/notify")"
[ "$(cat "$work/filer.pid")" != stale ] || fail "a file of before made it ready"
psql -qAt -h 127.0.0.1 -p "$postgres" -U "$(stat -c %U "$work/pg")" -c 'select 1' postgres >/dev/null || fail "PostgreSQL is not ready"
is h 's("postgres").notify.state == "ready"' >/dev/null
within 10 is h 's("postgres").checks[0].state == "ok"'
ok "systemd-notify, redis, PostgreSQL, nginx, memcached and Python programs are ready when they say so, or answer"

[ "$(cat "$work/deaf")" = "NOTIFY_SOCKET=none none none" ] || fail "$(cat "$work/deaf")"
[ ! -e "$work/h/run/notify/deaf" ] || fail "it has a socket that it did not ask for"
ok "who does not ask for a socket has none"

within 10 is h 's("never") | .state == "FATAL" and .last_exit.cause == "start-timeout"'
within 10 is h 's("stops") | .state == "EXITED" and .last_exit.code == 7 and .last_exit.reason == "exit 7"'
grep -q '"service":"stops","event":"notified","what":"STOPPING=1"' "$work/h/state/events.ndjson" || fail "nobody heard STOPPING=1"
ok "who is not ready in time has failed to start; who says that it stops is judged by its exit"

restarts() { value h "s(\"$1\").restarts"; }
[ "$(restarts python)$(restarts shell)" = 00 ] || fail "who pings was disturbed"
touch "$work/hang"
sent=$SECONDS
while [ $((SECONDS - sent)) -lt 3 ]; do
    NOTIFY_SOCKET=$work/h/run/notify/python systemd-notify WATCHDOG=1 2>/dev/null || true
    sleep 0.1
done
within 5 is h 's("python") | .last_exit.cause == "notify"'
grep -q '"event":"notify-refused"' "$work/h/state/events.ndjson" || fail "nobody tells of the stranger"
rm "$work/hang"
within 10 is h 's("python") | .state == "RUNNING"'
ok "a missed WATCHDOG=1 is a hang, whatever a stranger says"

touch "$work/sick"
within 10 is h 's("server") | .last_exit.cause == "check"'
rm "$work/sick"
is h 's("server").last_exit.reason | contains("failed 3 times in a row: HTTP 503")' >/dev/null
within 10 is h 's("server") | .state == "RUNNING" and .checks[0].state == "ok"'
main=$(value h 's("nginx").pid')
kill -STOP "$(pgrep -P "$main" | head -n 1)" "$main"
within 15 is h 's("nginx") | .last_exit.cause == "check"'
is h 's("nginx").last_exit.reason | contains("no answer within 1s")' >/dev/null
within 10 is h 's("nginx") | .state == "RUNNING"'
ctl h status >"$work/table"
grep -q "checks ok" "$work/table" || { cat "$work/table" && fail "the table does not show checks"; }
ok "failed checks in a row are a hang: HTTP 503, and a server that accepts and says nothing"

rm "$work/h/run/notify/python"
within 10 test -S "$work/h/run/notify/python"
count=$(restarts python)
pids_before=$(value h '[.services[].pid] | tostring')
forked=$(value h 's("forks").pid')
[[ "$(ps -o args= -p "$forked")" = *forker.py* && "$(ps -o ppid= -p "$forked")" -eq $pid ]] || fail "$(ps -fp "$forked")"
crash
sleep 2.5
supervise h "$work/services.yml"
sleep 3
[ "$(value h '[.services[].pid] | tostring')" = "$pids_before" ] || fail "$pids_before became $(value h '[.services[].pid] | tostring')"
[ "$(restarts python)" = "$count" ] || fail "python was disturbed"
touch "$work/hang"
within 10 is h "s(\"python\").restarts == $((count + 1))"
rm "$work/hang"
ok "a socket is made again, and bound again by the next supervisor: who pings is left alone, who does not is noticed"

[ "$(value h 's("forks") | "\(.pid) \(.restarts) \(.adopted)"')" = "$forked 0 true" ] || fail "$(value h 's("forks")')"
touch "$work/forked"
within 10 is h "s(\"forks\") | .state == \"RUNNING\" and .pid != $forked and .restarts == 1 and .adopted == false"
[ "$(grep -c '"event":"main-changed"' "$work/h/state/events.ndjson")" -ge 2 ] || fail "nobody tells of another main process"
grep -q '"event":"notify-refused".*MAINPID=1:' "$work/h/state/events.ndjson" || fail "process 1 was not refused"
touch "$work/forked"
within 10 is h 's("forks") | .restarts == 2 and .last_exit.code == 9 and .state == "RUNNING"'
kill -KILL "$(value h 's("forks").pid')"
within 10 is h 's("forks") | .restarts == 3 and .last_exit.signal == "SIGKILL" and .state == "RUNNING"'
ok "a process that the service names is its main process: its end is the end, also of the next supervisor"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
