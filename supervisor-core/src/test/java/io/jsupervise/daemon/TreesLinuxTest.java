package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real process trees, of which nothing may be left, and real neighbours, of whom everything has to be. */
@Timeout(value = 40, unit = TimeUnit.SECONDS)
class TreesLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");

    /** With a child that has emptied its environment, left the session and knows no TERM. */
    private static final String BARE =
            "env -i D=$D setsid sh -c 'trap \"\" TERM; echo $$ >$D/bare; while :; do sleep 1; done' & sleep 1000";

    private final LinuxOs os = new LinuxOs();
    private final RunId run = new RunId("7ee5-1-" + Long.toHexString(System.nanoTime()));
    private final List<Child> spawned = new ArrayList<>();
    private Poller poller;
    private Trees trees;
    private Children children;

    @TempDir
    private Path dir;

    @BeforeEach
    void open() throws OsException {
        poller = os.poller();
        trees = new Trees(os, Path.of("/no-fifos"), "7ee5");
        trees.open();
        children = new Children(os, poller, trees, os::release);
    }

    @AfterEach
    void close() throws OsException {
        for (Child child : spawned) {
            ProcessHandle.of(child.pid().value()).ifPresent(ProcessHandle::destroyForcibly);
        }
        poller.close();
    }

    private Child spawn(RunId of, String script) throws Exception {
        Map<String, String> environment = Map.of(
                "PATH",
                "/usr/bin:/bin",
                "JSUPERVISE_SERVICE",
                "web",
                "JSUPERVISE_RUN_ID",
                of.value(),
                "D",
                dir.toString());
        Child child = os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", script), dir, environment, 022, new Output.Null(), new Output.Null()));
        spawned.add(child);
        return child;
    }

    /** The process that wrote its number into a file of that name. */
    private Pid noted(String name) throws Exception {
        Path file = dir.resolve(name);
        while (!Files.exists(file) || !Files.readString(file).endsWith("\n")) {
            Thread.yield();
        }
        return new Pid(Integer.parseInt(Files.readString(file).trim()));
    }

    private boolean lives(Pid pid) {
        return os.process(pid).filter(process -> process.isAlive()).isPresent();
    }

    private void awaitEnd(Child child) throws Exception {
        while (!os.hasEnded(child)) {
            Thread.onSpinWait();
        }
    }

    private int bury() throws OsException {
        int looks = 1;
        trees.newTurn();
        while (!children.bury(run)) {
            looks++;
            Thread.onSpinWait();
            trees.newTurn();
        }
        return looks;
    }

    @Test
    void a_death_that_leaves_nothing_is_buried_at_the_first_look() throws Exception {
        Child main = spawn(run, "exit 3");
        children.watch(WEB, run, main);
        awaitEnd(main);
        assertEquals(1, bury());
    }

    @Test
    void orphans_of_a_dead_main_process_go_wherever_they_went_and_those_of_a_living_run_stay() throws Exception {
        RunId other = new RunId("7ee5-1-0");
        Child neighbour = spawn(
                other, "(JSUPERVISE_SERVICE=db setsid sh -c 'echo $$ >$D/neighbour; exec sleep 1000' &); sleep 1000");
        children.watch(new ServiceName("db"), other, neighbour);
        Pid daemon = noted("neighbour");
        Child main = spawn(
                run,
                "(setsid sh -c 'echo $$ >$D/orphan; exec sleep 1000' &); setsid sh -c 'echo $$ >$D/kid; exec sleep 1000' &"
                        + " setsid sh -c '(setsid sh -c \"echo \\$\\$ >$D/deep; exec sleep 1000\" &); echo $$ >$D/high; exec sleep 1000' &"
                        + " until [ -s $D/orphan ] && [ -s $D/kid ] && [ -s $D/deep ] && [ -s $D/high ]; do :; done; exit 1");
        children.watch(WEB, run, main);
        List<Pid> left = List.of(noted("orphan"), noted("kid"), noted("deep"), noted("high"));
        awaitEnd(main);
        bury();
        for (Pid pid : left) {
            assertFalse(lives(pid), pid + " is left");
        }
        assertTrue(lives(daemon), "an orphan of a living run was hit");
        os.signal(neighbour, Signal.KILL);
        awaitEnd(neighbour);
        trees.newTurn();
        while (!children.bury(other)) {
            trees.newTurn();
        }
        assertFalse(lives(daemon));
    }

    @Test
    void what_emptied_its_environment_is_seen_before_the_stop_signal_and_goes_after_it() throws Exception {
        Child main = spawn(run, BARE);
        children.watch(WEB, run, main);
        Pid bare = noted("bare");
        trees.newTurn();
        children.signal(run, Signal.TERM, true);
        awaitEnd(main);
        assertTrue(lives(bare), "it knows no signal");
        bury();
        assertFalse(lives(bare));
    }

    /** As with kill_mode mixed: its main process is asked alone, and its end makes an orphan of what nothing else tells from strangers. */
    @Test
    void what_was_looked_at_before_the_main_process_alone_was_asked_goes_after_it() throws Exception {
        Child main = spawn(run, BARE);
        children.watch(WEB, run, main);
        Pid bare = noted("bare");
        trees.newTurn();
        children.lookAtTree(run);
        children.signal(run, Signal.TERM, false);
        awaitEnd(main);
        assertTrue(lives(bare), "nobody asked it");
        bury();
        assertFalse(lives(bare));
    }

    @Test
    void a_tree_as_deep_as_five_hundred_sessions_is_gone() throws Exception {
        // Shells, which are small: what a process takes to die is not ours to hasten.
        Files.writeString(
                dir.resolve("deep.sh"),
                "[ $1 = 0 ] || { setsid sh $D/deep.sh $(($1 - 1)) & wait; }\n"
                        + "echo $$ >$D/last\n"
                        + "exec sleep 1000\n");
        Child main = spawn(run, "exec sh $D/deep.sh 500");
        children.watch(WEB, run, main);
        Pid last = noted("last");
        trees.newTurn();
        children.signal(run, Signal.TERM, true);
        awaitEnd(main);
        bury();
        assertFalse(lives(last));
    }

    /** Each hop leaves the session, lives for the time of a fork, and its parent is gone by then. */
    @Test
    void what_forks_faster_than_a_look_is_ended_all_the_same() throws Exception {
        Files.writeString(
                dir.resolve("hop.py"),
                "import os, sys, time\n"
                        + "end = time.time() + 30\n"
                        + "if os.fork():\n"
                        + "    time.sleep(1000)\n"
                        + "open(sys.argv[1], 'w').write('%d\\n' % os.getpid())\n"
                        + "while time.time() < end:\n"
                        + "    if os.fork():\n"
                        + "        os._exit(0)\n"
                        + "    os.setsid()\n");
        Child main = spawn(run, "exec python3 $D/hop.py $D/hop");
        children.watch(WEB, run, main);
        noted("hop");
        os.signal(main, Signal.KILL);
        awaitEnd(main);
        bury();
        for (Pid orphan : os.orphans()) {
            Optional<io.jsupervise.lifecycle.Bearer> mark = os.bearer(orphan, Path.of("/no-fifos"));
            assertFalse(mark.isPresent() && mark.get().run().equals(Optional.of(run)), "it hops on as " + orphan);
        }
    }

    @Test
    void what_belongs_to_another_run_of_the_same_service_that_is_known_stays() throws Exception {
        RunId other = new RunId(run.value() + "1");
        Child living = spawn(other, "(setsid sh -c 'echo $$ >$D/daemon; exec sleep 1000' &); exec sleep 1000");
        children.watch(WEB, other, living);
        Pid daemon = noted("daemon");
        Child main = spawn(run, "exit 0");
        children.watch(WEB, run, main);
        awaitEnd(main);
        bury();
        assertTrue(lives(daemon), "it hangs on the run that lives");
        os.signal(living, Signal.KILL);
        awaitEnd(living);
        trees.newTurn();
        while (!children.bury(other)) {
            trees.newTurn();
        }
        assertFalse(lives(daemon));
    }

    /** A shell that starts something and then becomes us (exec) leaves us children that are nobody's. */
    @Test
    void what_was_below_us_before_we_began_is_never_ended() throws Exception {
        Child main = spawn(
                new RunId("foreign"),
                "(setsid env -i PATH=$PATH D=$D sh -c 'echo $$ >$D/before; exec sleep 1000' &); exit 0");
        awaitEnd(main);
        Pid before = noted("before");
        Trees later = new Trees(os, Path.of("/no-fifos"), "7ee5");
        later.open();
        assertTrue(later.endTheRest(), "there is nothing of ours");
        assertTrue(lives(before));
        assertTrue(os.orphans().contains(before));
        os.signalOrphan(before, Signal.KILL);
        os.reap(main);
        while (!os.reapOrphan(before)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void an_ended_orphan_is_reaped_by_a_look() throws Exception {
        Child main =
                spawn(run, "(setsid sh -c 'echo $$ >$D/short' &); until [ -s $D/short ]; do :; done; exec sleep 1000");
        children.watch(WEB, run, main);
        Pid orphan = noted("short");
        while (os.process(orphan).isPresent()) {
            trees.look();
        }
        os.signal(main, Signal.KILL);
        awaitEnd(main);
        bury();
    }
}
