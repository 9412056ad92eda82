package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real clients at real sockets: who is heard and who is not, what is told, and what becomes of a socket. */
@Timeout(30)
class NotifySocketsLinuxTest {
    private static final RunId RUN = new RunId("state-1-1");
    private static final String SEND = "import os, socket, sys\n"
            + "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            + "def say(what): s.sendto(what.encode(), os.environ['NOTIFY_SOCKET'])\n";
    private static final String WAIT = "\nsys.stdout.flush()\nimport time\ntime.sleep(1000)\n";

    @TempDir
    private Path dir;

    private final Os os = new LinuxOs();
    private final List<SupervisorEvent> events = new ArrayList<>();
    private final List<Child> children = new ArrayList<>();
    private int begun;

    private SupervisorSpec supervisor() {
        return new SupervisorSpec(
                "default",
                dir,
                dir,
                dir.resolve("control.sock"),
                Optional.empty(),
                0,
                dir.resolve("heartbeat"),
                Duration.ofSeconds(5));
    }

    private NotifySockets sockets() {
        return new NotifySockets(
                os, supervisor(), new Belongings(os, supervisor()), (event, named) -> events.add(event), () -> begun++);
    }

    private static ServiceSpec web() {
        return ServiceSpec.of("web", "x").ready(new Readiness.Notified()).build();
    }

    private Child python(String program) throws Exception {
        Child child = os.spawn(new SpawnRequest(
                List.of("python3", "-c", SEND + program),
                dir,
                Map.of(
                        "PATH",
                        System.getenv("PATH"),
                        "NOTIFY_SOCKET",
                        NotifySockets.path(supervisor(), web().name()).toString(),
                        "JSUPERVISE_TEST",
                        dir.toString()),
                022,
                new SpawnRequest.Output.Null(),
                new SpawnRequest.Output.Null()));
        children.add(child);
        return child;
    }

    @AfterEach
    void nothing_is_left() throws Exception {
        for (Child child : children) {
            os.signalGroup(child, Signal.KILL);
            while (os.peekExit(child).isEmpty()) {
                Thread.onSpinWait();
            }
            os.reap(child);
            os.release(child);
        }
    }

    private void turnUntil(NotifySockets sockets, BooleanSupplier done) throws Exception {
        while (!done.getAsBoolean()) {
            sockets.turn(Optional.of(os.now().plus(Duration.ofMillis(50))));
        }
    }

    private <T extends Event> List<T> told(Class<T> kind) {
        List<T> all = new ArrayList<>();
        for (SupervisorEvent event : events) {
            if (event instanceof SupervisorEvent.OfService of && kind.isInstance(of.event())) {
                all.add(kind.cast(of.event()));
            }
        }
        return all;
    }

    private List<Event.Notified> heard() {
        return told(Event.Notified.class);
    }

    private List<String> refused() {
        List<String> refused = new ArrayList<>();
        for (SupervisorEvent event : events) {
            if (event instanceof SupervisorEvent.Noticed noticed) {
                refused.add(noticed.event() + ": " + noticed.details().get("what"));
            }
        }
        return refused;
    }

    @Test
    void what_the_main_process_says_before_it_is_known_is_heard_when_it_is() throws Exception {
        NotifySockets sockets = sockets();
        Path path = sockets.expect(web());
        assertEquals(0600, os.stat(path).orElseThrow().mode() & 0777);
        assertEquals(1, begun);
        Child main = python("say('READY=1\\nSTATUS=here')\nopen('said', 'w')" + WAIT);
        while (!Files.exists(dir.resolve("said"))) {
            Thread.onSpinWait();
        }
        sockets.turn(Optional.of(os.now()));
        assertTrue(heard().isEmpty(), "nobody can tell yet whose it is");
        sockets.began(web().name(), RUN, main.identity());
        turnUntil(sockets, () -> !heard().isEmpty());
        assertEquals(RUN, heard().get(0).run());
        assertTrue(heard().get(0).notice().ready());
        assertEquals(Optional.of("here"), heard().get(0).notice().status());
    }

    @Test
    void a_descendant_is_heard_though_it_leads_a_session_of_its_own_and_a_stranger_is_not() throws Exception {
        NotifySockets sockets = sockets();
        sockets.expect(web());
        Child main = python("if os.fork() == 0:\n  os.setsid()\n  say('STATUS=child')" + WAIT.replace("\n", "\n  ")
                + "\nimport time\ntime.sleep(1000)\n");
        sockets.began(web().name(), RUN, main.identity());
        turnUntil(sockets, () -> !heard().isEmpty());
        assertEquals(Optional.of("child"), heard().get(0).notice().status());

        Child stranger = python("say('WATCHDOG=1')\nsay('WATCHDOG=1')" + WAIT);
        turnUntil(sockets, () -> !refused().isEmpty());
        sockets.turn(Optional.of(os.now().plus(Duration.ofMillis(50))));
        assertEquals(
                List.of("notify-refused: pid " + stranger.pid() + " of uid " + os.uid()
                        + " is none of its processes, or had ended before it could be told whose it was"),
                refused());
        assertEquals(1, heard().size());
    }

    @Test
    void nonsense_is_told_once_and_a_long_message_is_cut_off() throws Exception {
        NotifySockets sockets = sockets();
        sockets.expect(web());
        Child main = python(
                "say('nonsense')\nsay('more nonsense')\nsay('READY=1\\n' + 'x' * 100000)\nsay('STATUS=end')" + WAIT);
        sockets.began(web().name(), RUN, main.identity());
        turnUntil(sockets, () -> heard().stream()
                .anyMatch(one -> one.notice().status().equals(Optional.of("end"))));
        assertEquals(List.of("notify-refused: \"nonsense\" makes no sense"), refused());
        assertTrue(heard().stream().anyMatch(one -> one.notice().ready()));
    }

    @Test
    void who_says_too_much_waits_and_is_heard_out_all_the_same() throws Exception {
        NotifySockets sockets = sockets();
        sockets.expect(web());
        Child main = python("while True: say('STATUS=flood')\n");
        sockets.began(web().name(), RUN, main.identity());
        long begin = System.nanoTime();
        turnUntil(sockets, () -> System.nanoTime() - begin > 1_000_000_000L);
        int count = heard().size();
        assertTrue(count > 0 && count <= 11 * 64, "in a second " + count);
        do {
            // Once in a while it has been heard to the end, and has not gone on yet.
            events.clear();
            sockets.hearOut(new Effect.HearOut(web().name(), RUN));
            turnUntil(sockets, () -> !told(Event.HeardOut.class).isEmpty());
            assertEquals(Optional.empty(), told(Event.HeardOut.class).get(0).deaf());
        } while (heard().isEmpty());
    }

    @Test
    void a_socket_that_vanished_is_made_again_and_no_silence_of_that_time_counts() throws Exception {
        NotifySockets sockets = sockets();
        Path path = sockets.expect(web());
        Child main = python(
                "import time\nwhile True:\n  try: say('WATCHDOG=1')\n  except OSError: pass\n  time.sleep(0.02)\n");
        sockets.began(web().name(), RUN, main.identity());
        assertEquals(List.of(), sockets.restore());
        Files.delete(path);
        assertEquals(List.of(path), sockets.restore());
        assertEquals(FileStat.Kind.SOCKET, os.stat(path).orElseThrow().kind());
        events.clear();
        turnUntil(sockets, () -> !heard().isEmpty());
        events.clear();
        sockets.hearOut(new Effect.HearOut(web().name(), RUN));
        turnUntil(sockets, () -> told(Event.HeardOut.class).stream()
                .anyMatch(out -> out.deaf().isPresent()));
    }

    @Test
    void the_next_supervisor_binds_at_the_same_path_and_what_was_said_of_an_earlier_run_is_not_heard()
            throws Exception {
        NotifySockets dead = sockets();
        Path path = dead.expect(web());
        NotifySockets next = sockets();
        Child main = python("import time\nwhile True:\n  say('WATCHDOG=1')\n  time.sleep(0.02)\n");
        next.adopt(web(), RUN, main.identity());
        turnUntil(next, () -> !heard().isEmpty());
        os.signal(main, Signal.STOP);
        assertEquals(path, next.expect(web()), "whatever waits is thrown away");
        events.clear();
        next.began(web().name(), new RunId("state-1-2"), main.identity());
        next.turn(Optional.of(os.now().plus(Duration.ofMillis(20))));
        assertEquals(List.of(), heard());
        next.forget(web().name());
        assertEquals(Optional.empty(), os.stat(path));
    }

    @Test
    void a_process_of_its_own_may_be_named_as_the_main_process_and_a_strangers_may_not() throws Exception {
        NotifySockets sockets = sockets();
        sockets.expect(web());
        Child stranger = python("" + WAIT);
        Child main = python("child = os.fork()\nif child == 0:\n  os.setsid()" + WAIT.replace("\n", "\n  ")
                + "\nwith open('child', 'w') as f: f.write(str(child))\nsay('MAINPID=" + stranger.pid()
                + "')\nsay('MAINPID=%d\\nREADY=1' % child)"
                + "\nimport time\ntime.sleep(1000)\n");
        sockets.began(web().name(), RUN, main.identity());
        turnUntil(sockets, () -> heard().size() == 2);
        assertEquals(
                List.of("notify-refused: MAINPID=" + stranger.pid() + ": no living process of its own has this number"),
                refused());
        assertEquals(1, told(Event.MainNamed.class).size());
        assertEquals(
                Files.readString(dir.resolve("child")),
                told(Event.MainNamed.class).get(0).process().pid().toString());
        int order = events.indexOf(new SupervisorEvent.OfService(
                web().name(), told(Event.MainNamed.class).get(0)));
        assertTrue(events.subList(order, events.size()).size() == 2, "what else the message says comes behind");
        for (Child child :
                os.find(told(Event.MainNamed.class).get(0).process()).stream().toList()) {
            os.signal(child, Signal.KILL);
            os.release(child);
        }
    }
}
