#!/bin/bash
# On a kernel of its own, with a hardware watchdog (.ci/vm/run --watchdog --boots 4): who has the device, and what is no sign of life. A supervisor keeps
# the machine up as long as its loop turns; killed, and followed in time, too. Killed for good, stopped, or with a loop that hangs while all its other
# threads go on, it is reset within the timeout, and the next supervisor tells why.
. .ci/vm/watched.sh
watchdog i6300esb heartbeat=60
services <<'YML'
  steady: {command: sleep 100000}
YML

case $VM_BOOT in
1)
    [ "$(attribute bootstatus)" = 0 ] || fail "a first boot, and bootstatus is $(attribute bootstatus)"
    supervise
    [ "$(attribute timeout)" = $timeout ] || fail "the timeout is $(attribute timeout)"
    fed_for $((timeout * 3 / 2))
    ok "it is armed with the timeout of the file ($timeout s), and fed for one and a half of it"
    kill -KILL "$pid"
    # The next one finds somebody else with the device, for a moment.
    until { exec 3>/dev/watchdog; } 2>/dev/null; do sleep 1; done
    launch 3>&-
    told "watchdog-failed .*pid $$ (watchdog-hang.*errno=EBUSY"
    told "steady: .*adopted"
    ok "a device that another process has open is told with that process's name, and services are supervised"
    exec 3>&-
    told "watchdog-armed"
    fed_for $((timeout * 3 / 2))
    ok "a supervisor that takes over within the timeout goes on feeding"
    now
    kill -KILL "$pid"
    reset_follows "killed with -9, and nobody takes over"
    ;;
2)
    # WDIOF_CARDRESET of linux/watchdog.h.
    [ "$(attribute bootstatus)" = 32 ] || fail "after the reset bootstatus is $(attribute bootstatus)"
    supervise
    booted_by watchdog
    told "steady: .*RUNNING"
    now
    kill -STOP "$pid"
    reset_follows "stopped with SIGSTOP"
    ;;
3)
    supervise
    booted_by watchdog
    told "steady: .*RUNNING"
    # The loop's thread is the one that waits in epoll for us. ptrace(2) stops a single thread, and as long as its tracer lives: PTRACE_ATTACH is 16 of
    # the system call 101. All other threads, the JVM's and ours, go on.
    loop=
    for task in /proc/"$pid"/task/*; do
        [ "$(cat "$task/comm")" = java ] && grep -q epoll "$task/wchan" && loop=${task##*/}
    done
    [ -n "$loop" ] || fail "which thread is the loop's? $(grep . /proc/"$pid"/task/*/comm /proc/"$pid"/task/*/wchan)"
    now
    LC_ALL=C perl -e 'syscall(101, 16, $ARGV[0] + 0, 0, 0) == 0 or die "ptrace: $!"; sleep 100000' "$loop" &
    sleep 1
    stopped=0
    running=0
    for task in /proc/"$pid"/task/*; do
        case $(sed 's/.*) //' "$task/stat" | cut -c1) in
        t | T) stopped=$((stopped + 1)) ;;
        *) running=$((running + 1)) ;;
        esac
    done
    [ "$stopped" = 1 ] || fail "$stopped threads hang"
    [ "$running" -ge 10 ] || fail "$stopped threads hang and $running do not"
    # What needs no loop is answered, what needs it is not.
    [ "$(answers /nothing 10)" = 404 ] || fail "the control thread does not answer"
    ! answers /v1/status 3 >/dev/null 2>&1 || fail "the status is answered: $(cat /run/answer)"
    reset_follows "the loop hangs, and all $running other threads go on"
    ;;
4)
    [ "$(attribute bootstatus)" = 32 ] || fail "after the hang bootstatus is $(attribute bootstatus)"
    ok "boot 4: bootstatus is 32"
    ;;
esac
