#!/bin/bash
# On a kernel of its own, with a hardware watchdog (.ci/vm/run --watchdog --boots 4): resets that the supervisor wants, and their end. A service that
# cannot be brought up walks its ladder to the reset, by its last rung or because it is critical, by i6300esb and by softdog, which forgets what it did;
# the next boot knows the service all the same, and after reboot_limit resets the machine stays up, and an end in order disarms the device. With nowayout it cannot be disarmed, and that is told.
. .ci/vm/watched.sh
module=(i6300esb heartbeat=60)
case $VM_BOOT in
1) module+=(nowayout=1) ;;
3) module=(softdog soft_margin=60) ;;
esac
watchdog "${module[@]}"
fails='command: [sh, -c, "sleep 0.2; exit 7"], backoff: {initial: 100ms, max: 100ms}, start_limit: {count: 2, within: 5m}'
repair="run: [sh, -c, 'echo \$JSUPERVISE_RUNG >>/run/repairs']"
behind='behind: {command: sleep 100000, depends_on: {lost: {condition: started}}}'
lost=
case $VM_BOOT in
1) behind= ;;
2) lost="lost: {$fails, escalate: [restart-dependents, {$repair}, reboot]}" ;;
*) lost="lost: {$fails, critical: true, escalate: [{$repair}]}" ;;
esac
services <<YML
  steady: {command: sleep 100000}
  $behind
  $lost
YML

# withheld: the service is given up behind its ladder, and the reason stands in the journal before the feed ends.
withheld() {
    told "watchdog-withheld critical=lost"
    now
    grep -q '"feed_withheld":{"service":"lost","reason":"' $state/journal/@supervisor.json || fail "withheld without a record"
    told "steady: .*RUNNING"
}

supervise
case $VM_BOOT in
1)
    told "watchdog-armed .*nowayout=true"
    told "steady: .*RUNNING"
    now
    kill -TERM "$pid"
    ended
    told "watchdog-stays-armed .*nowayout"
    [ "$(attribute state)" = active ] || fail "with nowayout it is $(attribute state) after an end in order"
    reset_follows "ended in order with nowayout, which it tells: $(sed -n 's/^.*\(watchdog-stays-armed .*\)/\1/p' $out)"
    ;;
2)
    booted_by watchdog "resets=0"
    withheld
    [ "$(sed -n 's/^.*lost: escalating rung=\([0-9]\) rungs=3 action=\([^ ]*\).*/\1 \2/p' $out | tr '\n' ' ')" = "1 restart-dependents 2 run 3 reboot " ] \
        || fail "the ladder: $(grep escalating $out)"
    [ "$(cat /run/repairs)" = 2 ] || fail "the command of the ladder: $(cat /run/repairs)"
    ok "boot 2: the ladder is walked rung by rung, up to the reboot"
    reset_follows "$(sed -n 's/^.*\(watchdog-withheld .*\)/\1/p' $out)"
    ;;
3)
    [ "$(attribute identity)" = "Software Watchdog" ] || fail "it is a $(attribute identity)"
    told "escalating rung=1 rungs=1 action=run"
    [ "$(attribute bootstatus)" = 0 ] || fail "softdog has a memory: $(attribute bootstatus)"
    booted_by watchdog "lost.*resets=1"
    withheld
    reset_follows "$(sed -n 's/^.*\(watchdog-withheld .*\)/\1/p' $out), by softdog"
    ;;
4)
    booted_by watchdog "lost.*resets=2"
    told "reboot-limit-reached critical=lost"
    fed_for $((timeout * 2))
    ok "$(sed -n 's/^.*\(reboot-limit-reached .*\)/\1/p' $out)"
    [ "$(answers /v1/status 20)" = 200 ] || fail "the status is not answered: $(cat /run/answer)"
    grep -q '"limit_reached":true' /run/answer || fail "the status: $(cat /run/answer)"
    told "steady: .*RUNNING"
    ok "the machine stays up, with what is not critical"
    kill -TERM "$pid"
    ended
    [ "$(attribute state)" = inactive ] || fail "it is $(attribute state) after an end in order"
    sleep $((timeout * 3 / 2))
    ok "TERM disarms it: one and a half of the timeout after it the machine is up"
    ;;
esac
