#!/bin/bash
# config-examples/own-users.yml with the real PostgreSQL, redis, memcached and nginx, each as its own user: up in order, killed in pieces
# (a worker, a backend, a master, all, the supervisor with them), up again, down without a trace.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

[ "$(id -u)" = 0 ] || { skip "only root may start services as other users" && exit 0; }
PATH=$PATH:/usr/sbin
for program in redis-server redis-cli nginx memcached psql curl; do
    command -v "$program" >/dev/null || fail "$program is not installed"
done

data=$work/data
chmod 755 "$work"
cp config-examples/own-users* "$work"
echo "data=$data" >"$work/own-users.env"

serves() { [ "$(curl -s --max-time 2 http://127.0.0.1:8089/)" = "all have their own users" ]; }
sql() { setpriv --reuid=postgres --regid=postgres --init-groups -- psql -qAt -h "$data/postgres" -c "$1" postgres; }
pong() { [ "$(redis-cli -s "$data/redis/redis.sock" ping)" = PONG ]; }
caches() { printf 'version\r\nquit\r\n' | timeout 2 curl -s --unix-socket "$data/memcache/memcached.sock" telnet://localhost | grep -q ^VERSION; }
up() { serves && [ "$(sql 'select 1')" = 1 ] && pong && caches; }
main() { value own "s(\"$1\").pid"; }
restarts() { is own "s(\"$1\") | .restarts == $2 and .state == \"RUNNING\""; }
# owner PID: by name.
owner() { stat -c %U "/proc/$1"; }

! serves || fail "something else serves on 127.0.0.1:8089"
supervise own "$work/own-users.yml"
within 60 up
for service in postgresql:postgres redis:redis memcached:memcache nginx:root; do
    [ "$(owner "$(main "${service%:*}")")" = "${service#*:}" ] || fail "${service%:*} runs as $(owner "$(main "${service%:*}")")"
    within 10 restarts "${service%:*}" 0
done
for worker in $(pgrep -P "$(main nginx)"); do
    [ "$(owner "$worker")" = www-data ] || fail "a worker of nginx runs as $(owner "$worker")"
done
ends_of_once() { value own '[s("directories", "database", "schema") | [.state, .last_exit.code, .last_exit.at]] | tostring'; }
once=$(ends_of_once)
[ "$(grep -o '"EXITED",0,' <<<"$once" | wc -l)" = 3 ] || fail "not all one-shots have succeeded: $once"
ok "each runs as its own user, after what it needs"

sql "insert into promises values ('kept')"
[ "$(redis-cli -s "$data/redis/redis.sock" set promise kept)" = OK ] || fail "redis does not store"

# In pieces: a master looks after its workers itself, and that is none of our business.
worker=$(pgrep -P "$(main nginx)" | head -n 1)
kill -KILL "$worker"
within 10 gone "$worker"
within 10 serves
writer=$(pgrep -f -P "$(main postgresql)" walwriter)
kill -KILL "$writer"
within 20 gone "$writer"
within 30 sql 'select 1'
restarts nginx 0 >/dev/null || fail "nginx was restarted for a worker"
restarts postgresql 0 >/dev/null || fail "PostgreSQL was restarted for its wal writer"
ok "a worker of nginx and the wal writer of PostgreSQL killed: their masters replace them"

# PostgreSQL's processes each lead a session of their own, and a new master does not start beside them.
for service in postgresql nginx redis memcached; do
    old=$(main "$service")
    workers=$(pgrep -P "$old" | tr '\n' ' ' || true)
    kill -KILL "$old"
    within 30 restarts "$service" 1
    [ "$(main "$service")" != "$old" ] || fail "$service has its old pid"
    for worker in $workers; do
        within 10 gone "$worker"
    done
done
within 30 up
[ "$(sql 'select promise from promises')" = kept ] || fail "PostgreSQL lost its data"
[ "$(redis-cli -s "$data/redis/redis.sock" get promise)" = kept ] || fail "redis lost its data"
ok "each master killed: it is back, its workers went with it, and it has its data"

kill -KILL "$(main postgresql)" "$(main nginx)" "$(main redis)" "$(main memcached)"
for service in postgresql nginx redis memcached; do
    within 60 restarts "$service" 2
done
within 30 up
ok "all killed at once: all are back"

pids_of() { value own '[.services[] | .pid] | tostring'; }
before=$(pids_of)
crash
supervise own "$work/own-users.yml"
[ "$(pids_of)" = "$before" ] || fail "not the same processes after a kill of the supervisor: $(pids_of), before $before"
is own '[.services[] | select(.state == "RUNNING") | .adopted] == [true, true, true, true]' >/dev/null || fail "not all are adopted"
old=$(main postgresql)
kill -KILL "$old"
within 60 restarts postgresql 3
within 30 up
ok "the supervisor killed: all are adopted, whoever their user is, and are restarted when they die later"

victims=("$(main postgresql)" "$(main nginx)")
crash
kill -KILL "${victims[@]}"
supervise own "$work/own-users.yml"
within 60 up
[ "$(ends_of_once)" = "$once" ] || fail "a one-shot was run again: $(ends_of_once), before $once"
ok "services killed while there is no supervisor: they are back, and the one-shots are not repeated"

exits 0 ctl own shutdown
ends "$pid" 0 90
nothing_left || fail "left behind: $(bearers)"
! pgrep -f "$data" >/dev/null || fail "left behind: $(pgrep -af "$data")"
ok "shutdown leaves nothing"
