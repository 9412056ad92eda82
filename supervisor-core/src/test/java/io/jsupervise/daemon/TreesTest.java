package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What goes on between two system calls of one look: an orphan that forks and ends just then, so that its child is the
 * next one. Played at every call, since on a machine that has the time to spare it happens at one in a thousand.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class TreesTest {
    private static final int SELF = 10;
    private static final int FIRST = 100;
    private static final RunId RUN = new RunId("7ee5-1-1");
    private static final ServiceName WEB = new ServiceName("web");

    /**
     * A machine with a single orphan, which leads a session of its own and hops: behind some calls it forks and ends. Its
     * zombies stay until they are reaped, and have no environment any more.
     */
    private static final class Hopper {
        private final int from;
        private final int to;
        private final int every;
        private final TreeSet<Integer> zombies = new TreeSet<>();
        private int now = FIRST;
        private boolean lives = true;
        private int calls;

        /** Behind call {@code from} and each {@code every}th one up to {@code to}. */
        Hopper(int from, int to, int every) {
            this.from = from;
            this.to = to;
            this.every = every;
        }

        Os os() {
            return (Os) Proxy.newProxyInstance(
                    Os.class.getClassLoader(), new Class<?>[] {Os.class}, (proxy, call, given) -> {
                        Object answer = answer(call.getName(), given);
                        calls++;
                        if (lives && calls >= from && calls <= to && (calls - from) % every == 0) {
                            zombies.add(now++);
                        }
                        return answer;
                    });
        }

        private Object answer(String call, Object[] given) {
            return switch (call) {
                case "self" -> identity(SELF);
                case "now" -> MonotonicTime.BOOT;
                case "becomeParentOfOrphans" -> null;
                case "orphans" -> orphans();
                case "process" -> process(((Pid) given[0]).value());
                case "processes" -> processes();
                case "bearer" -> bearer((Pid) given[0]);
                case "reapOrphan" -> zombies.remove(((Pid) given[0]).value());
                case "signalOrphan" -> signal((Pid) given[0], (Signal) given[1]);
                default -> throw new AssertionError("unexpected " + call);
            };
        }

        private List<Pid> orphans() {
            List<Pid> orphans = new ArrayList<>();
            zombies.forEach(zombie -> orphans.add(new Pid(zombie)));
            if (lives) {
                orphans.add(new Pid(now));
            }
            return orphans;
        }

        private List<ProcessStat> processes() {
            List<ProcessStat> processes = new ArrayList<>();
            orphans().forEach(pid -> processes.add(process(pid.value()).orElseThrow()));
            return processes;
        }

        private Optional<ProcessStat> process(int pid) {
            boolean isAlive = lives && pid == now;
            return isAlive || zombies.contains(pid)
                    ? Optional.of(new ProcessStat(identity(pid), SELF, FIRST, FIRST, isAlive ? 'R' : 'Z', "hop"))
                    : Optional.empty();
        }

        private Optional<Bearer> bearer(Pid pid) {
            return lives && pid.value() == now
                    ? Optional.of(
                            new Bearer(identity(pid.value()), FIRST, FIRST, Duration.ZERO, Optional.of(RUN), "web"))
                    : Optional.empty();
        }

        private Object signal(Pid pid, Signal signal) {
            if (lives && pid.value() == now && signal.equals(Signal.KILL)) {
                lives = false;
                zombies.add(now);
            }
            return null;
        }
    }

    private static ProcessIdentity identity(int pid) {
        return new ProcessIdentity(new Pid(pid), 7L * pid);
    }

    @Test
    void a_run_has_ended_only_when_nothing_of_it_hops_on_wherever_in_a_look_it_hops() throws Exception {
        List<String> missed = new ArrayList<>();
        int played = 0;
        for (int every = 1; every <= 9; every++) {
            for (int from = 1; from <= 20; from++) {
                for (int to = from; to < 2_000; to += 1 + to / 20) {
                    Hopper hopper = new Hopper(from, to, every);
                    int looks = looksUntilEnd(hopper);
                    played++;
                    if (hopper.lives) {
                        missed.add("hops behind call " + from + " to " + to + " and each " + every
                                + "th, taken for dead at look " + looks);
                    }
                }
            }
        }
        assertEquals("", String.join("\n", missed), missed.size() + " of " + played + " live on");
    }

    @Test
    void what_never_rests_is_told_of_though_no_look_ever_finds_it() throws Exception {
        Hopper hopper = new Hopper(1, Integer.MAX_VALUE, 1);
        Trees trees = new Trees(hopper.os(), Path.of("/no-fifos"), "7ee5");
        trees.open();
        trees.begin(WEB, RUN, new Child(identity(99), new Fd(3), true));
        trees.mainIsReaped(RUN);
        for (int looks = 0; looks < 20; looks++) {
            trees.newTurn();
            assertFalse(trees.end(RUN));
        }
        assertEquals(
                List.of("something below the supervisor that forks and ends faster than it can be looked at"),
                trees.left(RUN));
    }

    private int looksUntilEnd(Hopper hopper) throws Exception {
        Trees trees = new Trees(hopper.os(), Path.of("/no-fifos"), "7ee5");
        trees.open();
        trees.begin(WEB, RUN, new Child(identity(99), new Fd(3), true));
        trees.mainIsReaped(RUN);
        for (int looks = 1; looks <= 2_000; looks++) {
            trees.newTurn();
            if (trees.end(RUN)) {
                return looks;
            }
        }
        throw new AssertionError("it never comes to an end");
    }
}
