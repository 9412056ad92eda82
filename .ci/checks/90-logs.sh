#!/bin/bash
# Logs: every line once and whole over rotations, kept files limited and compressed, followed from the command line.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

cat >"$work/services.yml" <<END
defaults: {backoff: {initial: 100ms, max: 100ms}}
services:
  writer:
    # 40,000 lines of 32 bytes and then a rest, so that the last line has come through; about ten rotations.
    command: [awk, 'BEGIN { for (n = 1; n <= 40000; n++) printf "line %05d abcdefghijklmnopqrst\\n", n; fflush(); system("sleep 1000") }']
    log: {max_size: 128KiB, max_files: 20}
  packed:
    command: [awk, 'BEGIN { for (n = 1; n <= 40000; n++) printf "line %05d abcdefghijklmnopqrst\\n", n; fflush(); system("sleep 1000") }']
    log: {max_size: 128KiB, max_files: 3, compress: true}
  split:
    shell: true
    command: 'echo to-out; echo to-err >&2; sleep 1000'
    log: {stderr: file, timestamps: true}
END
supervise l "$work/services.yml"
logs=$work/l/state/logs

has_all() { grep -q 'line 40000' "$logs/writer.log" && grep -q 'line 40000' "$logs/packed.log"; }
within 30 has_all
# Rotated files are numbered or dated; by their first lines they are put in order here.
cat "$logs"/writer.log* | sort | cmp - <(awk 'BEGIN { for (n = 1; n <= 40000; n++) printf "line %05d abcdefghijklmnopqrst\n", n }') \
    || fail "lines are missing, repeated or broken"
files=("$logs"/writer.log*)
[ "${#files[@]}" -ge 9 ] || fail "only ${#files[@]} files: not rotated at 128 KiB"
for file in "${files[@]}"; do
    [ "$(stat -c %s "$file")" -le 131072 ] || fail "$file is larger than max_size"
    [ "$(tail -c 1 "$file" | od -An -tx1 | tr -d ' ')" = 0a ] || fail "$file does not end with a line"
done
ok "${#files[@]} files: every line once, each file ends at a line"

packed() { [ "$(find "$logs" -name 'packed.log*.gz' | wc -l)" = 3 ]; }
within 20 packed
for file in "$logs"/packed.log*.gz; do
    gzip -t "$file" || fail "$file is no good archive"
done
gzip -dc "$logs"/packed.log*.gz | grep -qv '^line [0-9]\{5\} abcdefghijklmnopqrst$' && fail "a compressed log holds a broken line"
ok "three compressed files are kept"

within 10 grep -q 'to-err' "$logs/split.err.log"
within 10 grep -Eq '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z to-out$' "$logs/split.log"
! grep -q to-err "$logs/split.log" || fail "standard error went into the log of standard output"
ok "standard error apart, with timestamps"

exits 0 ctl l logs writer -n 3
[ "$(cut -c1-10 "$work/said" | tr '\n' ' ')" = "line 39998 line 39999 line 40000 " ] || { cat "$work/said" && fail "logs -n 3"; }
"$JSUPERVISE" --socket "$(socket l)" logs split -f -n 1 >"$work/followed" &
follower=$!
pids+=("$follower")
# It follows from when it shows what was there before.
within 10 test -s "$work/followed"
exits 0 ctl l restart split
told_twice() { [ "$(grep -c to-out "$work/followed")" = 2 ]; }
within 10 told_twice
kill -TERM "$follower"
ok "logs -n and -f"

"$JSUPERVISE" --socket "$(socket l)" events -f >"$work/events" &
follower=$!
pids+=("$follower")
# What was comes first, so that it is connected for certain; the next is counted.
within 10 grep -q supervisor-started "$work/events"
exits 0 ctl l restart split
starts() { [ "$(grep -c '"service":"split","event":"started"' "$work/events")" = 3 ]; }
within 10 starts
kill -TERM "$follower"
ok "events -f"

kill -TERM "$pid"
ends "$pid" 0 20
nothing_left || fail "left behind: $(bearers)"
