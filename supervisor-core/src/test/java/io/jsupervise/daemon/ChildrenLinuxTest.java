package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.SupervisorEvent;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real children from the moment when they are known until their group is empty, and the way into the loop. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ChildrenLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");

    private final LinuxOs os = new LinuxOs();
    private final List<Child> spawned = new ArrayList<>();
    private Poller poller;
    private Children children;

    @BeforeEach
    void open() throws OsException {
        poller = os.poller();
        children = new Children(os, poller, trees(os), os::release);
    }

    @AfterEach
    void close() throws OsException {
        for (Child child : spawned) {
            ProcessHandle.of(child.pid().value()).ifPresent(ProcessHandle::destroyForcibly);
        }
        poller.close();
    }

    private static Trees trees(Os on) {
        return new Trees(on, Path.of("/no-fifos"), "id");
    }

    private Child spawn(String command) throws Exception {
        Child child = os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", command),
                Path.of("/"),
                Map.of("PATH", "/usr/bin:/bin"),
                022,
                new Output.Null(),
                new Output.Null()));
        spawned.add(child);
        return child;
    }

    private List<Long> ready() throws OsException {
        List<Long> tokens = new ArrayList<>();
        poller.poll(Optional.of(os.now().plus(Duration.ofSeconds(10))), tokens::add);
        return tokens;
    }

    @Test
    void an_end_is_reported_once_with_its_run_and_its_status() throws Exception {
        RunId run = new RunId("r1");
        children.watch(WEB, run, spawn("exit 7"));
        long token = ready().get(0);
        Children.Exit exit = children.exitOf(token).orElseThrow();
        assertEquals(WEB, exit.service());
        assertEquals(run, exit.event().run());
        assertEquals(new ExitStatus.Exited(7), exit.event().status());
        assertEquals(Optional.empty(), children.exitOf(token), "a report that comes late finds nothing");
        buryUntilEmpty(run);
        assertTrue(children.bury(run), "what is buried stays so");
    }

    @Test
    void of_one_that_somebody_else_has_reaped_it_is_told_once_that_it_ended() throws Exception {
        RunId run = new RunId("r1");
        Child child = spawn("exit 7");
        children.watch(WEB, run, child);
        long token = ready().get(0);
        os.reap(child);
        Children.Exit exit = children.exitOf(token).orElseThrow();
        assertEquals(new ExitStatus.Unknown(), exit.event().status());
        assertEquals(Optional.empty(), children.exitOf(token));
    }

    private void buryUntilEmpty(RunId run) throws OsException {
        while (!children.bury(run)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void a_signal_reaches_the_run_and_none_that_has_ended() throws Exception {
        RunId run = new RunId("r1");
        children.watch(WEB, run, spawn("exec sleep 1000"));
        children.signal(new RunId("another"), Signal.KILL, true);
        children.signal(run, Signal.KILL, false);
        ExitStatus status =
                children.exitOf(ready().get(0)).orElseThrow().event().status();
        assertEquals(new ExitStatus.Killed(Signal.KILL, false), status);
        buryUntilEmpty(run);
        children.signal(run, Signal.KILL, true);
    }

    @Test
    void what_is_left_of_the_group_of_a_dead_main_process_is_killed() throws Exception {
        RunId run = new RunId("r1");
        Child child = spawn("sleep 1000 & exit 0");
        children.watch(WEB, run, child);
        children.exitOf(ready().get(0)).orElseThrow();
        assertTrue(os.groupExists(child), "the worker outlived it");
        int group = child.pid().value();
        buryUntilEmpty(run);
        assertFalse(os.livingGroups().contains(group));
    }

    /** Something of each group is there for as long as {@code remains} says so, and nothing can be reaped where {@code stuck} does. */
    private Os clinging(AtomicBoolean remains, AtomicBoolean stuck) {
        return (Os) Proxy.newProxyInstance(
                Os.class.getClassLoader(), new Class<?>[] {Os.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("groupExists") && remains.get()) {
                        return true;
                    } else if (method.getName().equals("reap") && stuck.get()) {
                        throw new OsException(Errno.ECHILD, "waitid");
                    }
                    try {
                        return method.invoke(os, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void a_hook_that_begins_does_not_end_the_wait_for_what_the_main_process_left_and_the_next_one_does()
            throws Exception {
        AtomicBoolean remains = new AtomicBoolean(true);
        Os clinging = clinging(remains, new AtomicBoolean());
        List<Child> released = new ArrayList<>();
        Children both = new Children(clinging, poller, trees(clinging), released::add);
        RunId run = RunId.of("1d", 1, 1);
        RunId hook = run.ofHook(HookKind.STOP_COMMAND);
        Child main = spawn("exit 0");
        both.watch(WEB, run, main);
        both.exitOf(ready().get(0)).orElseThrow();
        assertFalse(both.bury(run));
        Child other = spawn("exit 0");
        both.watch(WEB, hook, other);
        both.exitOf(ready().get(0)).orElseThrow();
        assertFalse(both.bury(hook));
        assertFalse(both.bury(run), "what it left is still waited for");
        assertEquals(List.of(), released);
        both.watch(WEB, RunId.of("1d", 1, 2), spawn("exec sleep 1000"));
        assertEquals(List.of(main, other), released);
    }

    @Test
    void what_cannot_be_reaped_is_told_and_the_next_run_is_watched_all_the_same() throws Exception {
        AtomicBoolean stuck = new AtomicBoolean();
        Os clinging = clinging(new AtomicBoolean(true), stuck);
        List<Child> released = new ArrayList<>();
        Children children = new Children(clinging, poller, trees(clinging), released::add);
        RunId first = RunId.of("1d", 1, 1);
        Child main = spawn("exit 0");
        children.watch(WEB, first, main);
        children.exitOf(ready().get(0)).orElseThrow();
        stuck.set(true);
        assertThrows(OsException.class, () -> children.bury(first));
        RunId second = RunId.of("1d", 1, 2);
        OsException e = assertThrows(OsException.class, () -> children.watch(WEB, second, spawn("exec sleep 1000")));
        assertEquals(Errno.ECHILD, e.errno());
        assertEquals(List.of(main), released);
        children.signal(second, Signal.KILL, false);
        assertEquals(
                second, children.exitOf(ready().get(0)).orElseThrow().event().run());
    }

    /** As where fs.epoll.max_user_watches is used up: the child is asked in turn instead. */
    @Test
    void a_child_that_the_poller_refuses_is_asked_in_turn() throws Exception {
        Children asked = new Children(os, new Refusing(), trees(os), os::release);
        RunId run = new RunId("r1");
        Child child = spawn("exec sleep 1000");
        asked.watch(WEB, run, child);
        assertTrue(asked.someAreUnpolled());
        long token = asked.tokensToAsk(os.now()).get(0);
        assertEquals(Optional.empty(), asked.exitOf(token));
        asked.signal(run, Signal.KILL, false);
        poller.add(child.pidfd(), 77);
        assertEquals(List.of(77L), ready());
        poller.remove(child.pidfd());
        assertTrue(asked.exitOf(token).isPresent());
        assertFalse(asked.someAreUnpolled());
        while (!asked.bury(run)) {
            Thread.onSpinWait();
        }
    }

    private static final class Refusing implements Poller {
        @Override
        public void add(Fd fd, long token) throws OsException {
            throw new OsException(Errno.ENOSPC, "epoll_ctl");
        }

        @Override
        public void awaitReap(Fd pidfd, long token) {
            throw new AssertionError("it was never added");
        }

        @Override
        public void remove(Fd fd) {
            throw new AssertionError("it was never added");
        }

        @Override
        public void poll(Optional<MonotonicTime> deadline, LongConsumer ready) {
            throw new AssertionError("nobody polls here");
        }

        @Override
        public void wakeup() {}

        @Override
        public void close() {}
    }

    // ---- processes of others ----

    /** Its parent, which is us as {@code child}, has not reaped it: whoever may inspect it knows all the same. */
    @Test
    void the_end_of_a_process_of_another_parent_is_told_with_its_status() throws Exception {
        RunId run = new RunId("r1");
        Child child = spawn("sleep 1000 & exit 37");
        children.watch(WEB, run, os.find(child.identity()).orElseThrow());
        Children.Exit exit = children.exitOf(ready().get(0)).orElseThrow();
        assertEquals(new ExitStatus.Exited(37), exit.event().status());
        int group = child.pid().value();
        assertFalse(children.bury(run), "its parent has not reaped it");
        os.reap(child);
        buryUntilEmpty(run);
        assertFalse(os.livingGroups().contains(group), "the worker was killed");
    }

    @Test
    void a_process_that_ended_while_nobody_looked_is_buried_with_what_is_left_of_its_group() throws Exception {
        RunId run = new RunId("r1");
        Child child = spawn("sleep 1000 & exit 37");
        Child found = os.find(child.identity()).orElseThrow();
        poller.add(child.pidfd(), 1);
        ready();
        poller.remove(child.pidfd());
        os.reap(child);
        children.mourn(WEB, run, found);
        buryUntilEmpty(run);
        assertFalse(os.livingGroups().contains(child.pid().value()), "the worker was killed");
    }

    /** As before kernel 6.9, where the group of a leader that others have reaped has no name any more. */
    @Test
    void members_of_a_group_that_cannot_be_signalled_are_known_by_their_mark() throws Exception {
        Os old = (Os) Proxy.newProxyInstance(
                Os.class.getClassLoader(),
                new Class<?>[] {Os.class},
                (proxy, method, arguments) ->
                        method.getName().equals("signalGroup") ? (Object) true : method.invoke(os, arguments));
        Children there = new Children(old, poller, trees(old), os::release);
        RunId run = new RunId("marked-" + System.nanoTime());
        Child child = os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", "sleep 1000 & exit 1"),
                Path.of("/"),
                Map.of("PATH", "/usr/bin:/bin", "JSUPERVISE_SERVICE", "web", "JSUPERVISE_RUN_ID", run.value()),
                022,
                new Output.Null(),
                new Output.Null()));
        Child found = os.find(child.identity()).orElseThrow();
        poller.add(child.pidfd(), 1);
        ready();
        poller.remove(child.pidfd());
        os.reap(child);
        there.mourn(WEB, run, found);
        while (!there.bury(run)) {
            Thread.onSpinWait();
        }
        assertFalse(os.livingGroups().contains(child.pid().value()), "the worker was killed");
    }

    // ---- the inbox ----

    @Test
    void messages_of_many_threads_come_each_once_in_the_order_of_their_sender_and_wake_the_loop() throws Exception {
        Inbox inbox = new Inbox(poller);
        List<Thread> senders = new ArrayList<>();
        for (int sender = 0; sender < 4; sender++) {
            int base = sender * 1_000_000;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 5_000; i++) {
                    inbox.post(new SupervisorEvent.JournalCommitted(base + i));
                }
            });
            senders.add(thread);
            thread.start();
        }
        long[] next = new long[4];
        for (int got = 0; got < 20_000; ) {
            poller.poll(Optional.empty(), token -> {});
            for (Inbox.Message message : inbox.takeAll()) {
                long seq = ((SupervisorEvent.JournalCommitted) message.event()).seq();
                int sender = (int) (seq / 1_000_000);
                assertEquals(next[sender]++, seq % 1_000_000);
                got++;
            }
        }
        for (Thread sender : senders) {
            sender.join();
        }
        assertEquals(List.of(), inbox.takeAll());
    }

    @Test
    void a_program_that_is_not_there_is_no_child() {
        assertThrows(
                SpawnException.class,
                () -> os.spawn(new SpawnRequest(
                        List.of("/no/such"), Path.of("/"), Map.of(), 022, new Output.Null(), new Output.Null())));
    }
}
