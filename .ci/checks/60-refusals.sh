#!/bin/bash
# What cannot be supervised is refused with a place, a reason, the right exit code, and before anything is started.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

mkdir "$work/bad"
good=$work/good.yml
cat >"$good" <<'END'
services:
  sleeper: {command: sleep 1000}
END

# refused CODE NAME [OPTION..]: `run` of $work/bad/NAME.yml ends with CODE and has started nothing.
run_refused() {
    local code=$1 file=$2
    shift 2
    exits "$code" "$JSUPERVISE" run "$file" --state-dir "$work/r/state" --runtime-dir "$work/r/run" "$@"
    nothing_left || fail "started something in spite of $file"
}

# ---- configuration ----------------------------------------------------------------------------------------------------------------
# Each file would also start a sound service, were it taken.
bad() {
    printf 'services:\n  sound: {command: touch %s/started}\n%b' "$work" "$2" >"$work/bad/$1.yml"
}
bad tab '\tweb: {command: a}\n'
bad unknown-key '  web: {command: a, heartbeet: {timeout: 3s}}\n'
bad wrong-type '  web: {command: a, backoff: 3}\n'
bad negative '  web: {command: a, stop_timeout: -3s}\n'
bad absurd '  web: {command: a, stop_timeout: 99999999999999999999d}\n'
bad no-unit '  web: {command: a, stop_timeout: 10}\n'
bad duplicate '  web: {command: a}\n  web: {command: b}\n'
bad duplicate-key '  web: {command: a, command: b}\n'
bad recursive '  web: &x {command: a, environment: *x}\n'
bad utf8 '  web: {command: a, description: "\xff\xfe"}\n'
bad slash '  "a/b": {command: a}\n'
bad dots '  "..": {command: a}\n'
bad nul '  "a\\0b": {command: a}\n'
bad long "  $(printf 'x%.0s' {1..300}): {command: a}\n"
bad empty-command '  web: {command: ""}\n'
bad quote '  web: {command: "echo '"'"'open"}\n'
bad no-command '  web: {description: nothing}\n'
bad later-key '  web: {command: a, replicas: 2}\n'
bad policy '  web: {command: a, restart: alway}\n'
bad no-timeout '  web: {command: a, heartbeat: {grace: 3s}}\n'
bad size '  web: {command: a, log: {max_size: 10}}\n'
bad signal '  web: {command: a, stop_signal: TERMINATE}\n'
bad umask '  web: {command: a, umask: "999"}\n'
bad no-env-file '  web: {command: a, env_file: nowhere.env}\n'
bad include-missing 'include: [nowhere/at-all.yml]\n'
bad include-itself 'include: [include-itself.yml]\n'
bad supervisor-key 'supervisor: {statedir: /x}\n'
printf 'services:\n  web: %s\n' "$(printf '[%.0s' {1..5000})" >"$work/bad/deep.yml"
mkdir "$work/bad/directory.yml"
: >"$work/bad/empty.yml"
printf -- '- a\n- b\n' >"$work/bad/list.yml"
printf '{{{ this: is: not: yaml\n' >"$work/bad/not-yaml.yml"
{
    echo 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
    for i in 1 2 3 4 5 6 7 8 9; do
        p=$((i - 1))
        echo "a$i: &a$i [*a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p]"
    done
} >"$work/bad/laughs.yml"
{
    printf 'services:\n  web: {command: a}\n'
    head -c 10485760 /dev/zero | tr '\0' '#'
} >"$work/bad/ten-megabytes.yml"

count=0
for file in "$work"/bad/*.yml; do
    run_refused 78 "$file"
    says "$file"
    exits 78 "$JSUPERVISE" check "$file"
    says "$file"
    count=$((count + 1))
done
[ ! -e "$work/started" ] || fail "a service of a bad file was started"
[ ! -e "$work/r/state/journal" ] || fail "a bad file left a journal"
ok "$count bad files: 78, and the file is named"

run_refused 78 "$work/bad/policy.yml"
says "policy.yml:3:30:" alway always on-failure never
run_refused 78 "$work/bad/unknown-key.yml"
says "unknown-key.yml:3:21:" heartbeet heartbeat
exits 78 "$JSUPERVISE" run "$work/nowhere.yml"
says "$work/nowhere.yml"
exits 0 "$JSUPERVISE" check "$good"
says sleeper
ok "place, reason and fix"

exits 64 "$JSUPERVISE" run --no-such-option
exits 64 "$JSUPERVISE" no-such-command
exits 69 "$JSUPERVISE" --socket "$work/nowhere.sock" status
ok "usage is 64, no supervisor is 69"

# ---- directories ------------------------------------------------------------------------------------------------------------------
chmod 755 "$work"
mkdir "$work/locked"
chmod 555 "$work/locked"
# In a place that everybody can read, which a clone need not be.
cp -a "$(dirname -- "$(dirname -- "$JSUPERVISE")")" "$work/app"
exits 77 "${nobody[@]}" "$work/app/bin/jsupervise" run "$good" --state-dir "$work/locked/state" --runtime-dir "$work/locked/run"
says "$work/locked/state"
nothing_left || fail "started without a state directory"
ok "state_dir that cannot be made: 77"

if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 "$work/foreign"
    chown 65534 "$work/foreign"
    exits 77 "$JSUPERVISE" run "$good" --state-dir "$work/r/state" --runtime-dir "$work/foreign"
    says "$work/foreign" 65534
    ok "runtime_dir of somebody else: 77"
else
    skip "a foreign runtime_dir needs root"
fi
mkdir -m 777 "$work/open"
chmod 777 "$work/open"
exits 77 "$JSUPERVISE" run "$good" --state-dir "$work/r/state" --runtime-dir "$work/open"
says "$work/open" 777
ok "runtime_dir where others may write: 77"
: >"$work/file"
exits 74 "$JSUPERVISE" run "$good" --state-dir "$work/file" --runtime-dir "$work/r/run"
says "$work/file"
ok "state_dir that is a file: 74"
nothing_left || fail "left behind: $(bearers)"

mkdir "$work/disk"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=256k,nr_inodes=100,mode=755 none "$work/disk" 2>/dev/null; then
    mounts+=("$work/disk")
    mount -o remount,ro "$work/disk"
    exits 74 "$JSUPERVISE" run "$good" --state-dir "$work/disk/state" --runtime-dir "$work/r/run"
    says "$work/disk/state" EROFS
    ok "state_dir on a read-only mount: 74"

    mount -o remount,rw "$work/disk"
    head -c 1M /dev/zero >"$work/disk/filler" 2>/dev/null || true
    while mkdir "$work/disk/$RANDOM$RANDOM" 2>/dev/null; do :; done
    exits 74 "$JSUPERVISE" run "$good" --state-dir "$work/disk/state" --runtime-dir "$work/r/run"
    says "$work/disk/state" ENOSPC
    ok "state_dir on a full disk: 74"
    nothing_left || fail "left behind: $(bearers)"
else
    skip "cannot mount a small disk here"
fi

# ---- two supervisors --------------------------------------------------------------------------------------------------------------
supervise first "$good"
within 10 is first 's("sleeper").state == "RUNNING"'
exits 75 "$JSUPERVISE" run "$good" --state-dir "$work/first/state" --runtime-dir "$work/second/run"
says "$work/first/state"
is first 's("sleeper") | .state == "RUNNING" and .restarts == 0' >/dev/null || fail "the first supervisor was disturbed"
[ "$(bearers | wc -l)" = 1 ] || fail "not one sleeper: $(bearers)"
ok "a second supervisor of the same state_dir: 75, the first is undisturbed"
# The same socket with another state_dir: a living socket is not taken over.
code=0
timeout -k 5 30 "$JSUPERVISE" run "$good" --state-dir "$work/third/state" --runtime-dir "$work/first/run" >"$work/said" 2>&1 || code=$?
case $code in
74 | 75) ;;
*) cat "$work/said" >&2 && fail "a living socket was taken over (exit $code)" ;;
esac
answers first >/dev/null || fail "the first supervisor does not answer any more"
ok "a living socket is not replaced"
kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
