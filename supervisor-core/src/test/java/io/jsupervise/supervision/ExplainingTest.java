package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Notice;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Hooks.Hook;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an operator is told of a service, in each state and for each reason: in words, since words are what it is about. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ExplainingTest {
    private static final Optional<Hook> HOOK = Optional.of(new Hook(Command.of("x"), Duration.ofSeconds(20)));

    private static Herd herd(ServiceSpec.Builder... services) {
        return herd(0, services);
    }

    private static Herd herd(int slots, ServiceSpec.Builder... services) {
        List<Service> fresh = new ArrayList<>();
        for (ServiceSpec.Builder service : services) {
            fresh.add(Bench.fresh(service.build()));
        }
        return new Herd(slots, Set.of(), fresh.toArray(Service[]::new));
    }

    private static ServiceSpec.Builder web() {
        return Herd.service("web").log(LogSpec.ToFile.of(Path.of("/var/log/web.log")));
    }

    private static Explanation why(Herd herd, String name) {
        return Explaining.of(herd.status(), new ServiceName(name));
    }

    /** The summary, what follows and when, what can be done, and the notes, each on lines of its own. */
    private static void told(Herd herd, String name, String... lines) {
        Explanation why = why(herd, name);
        List<String> told = new ArrayList<>();
        told.add(why.summary());
        told.add(why.next().in().map(in -> "in " + in.toMillis() + "ms: ").orElse("")
                + why.next().text());
        StringBuilder commands = new StringBuilder();
        for (Explanation.Remedy remedy : why.can()) {
            String command = remedy.command().substring("jsupervise ".length());
            if (!command.startsWith("events")) {
                commands.append(commands.length() == 0 ? "" : ", ").append(command);
            }
        }
        told.add(commands.toString());
        told.addAll(why.notes());
        assertEquals(String.join("\n", lines), String.join("\n", told));
    }

    // ---- states ----

    @Test
    void stopped_by_an_operator() {
        Herd herd = herd(web()).allRunning("web").act(Verb.STOP, "web").exits("web", 0);
        told(
                herd,
                "web",
                "web is STOPPED: an operator stopped it",
                "nothing until somebody starts it",
                "logs -n 50 web, start web");
        assertEquals(Cause.OPERATOR, why(herd, "web").failures().get(0).cause());
    }

    @Test
    void stopped_because_nobody_started_it() {
        told(
                herd(web().autostart(false)).begin(),
                "web",
                "web is STOPPED: it does not start by itself (autostart: false), and nobody has started it",
                "nothing until somebody starts it",
                "start web");
    }

    @Test
    void starting_with_its_process_on_the_way() {
        told(
                herd(web()).begin(),
                "web",
                "web is STARTING: its process is being made",
                "it is ready, or has failed, when that is done",
                "stop web");
    }

    @Test
    void starting_and_not_ready_yet() {
        Herd herd = herd(web()).begin().spawned("web").later(Duration.ofMillis(100));
        told(
                herd,
                "web",
                "web is STARTING: pid 101 runs, and is not ready yet: it waits for its delay",
                "in 400ms: it counts as ready if it still runs",
                "logs -n 50 web, stop web, restart web");
    }

    @Test
    void starting_until_its_start_timeout() {
        Herd herd = herd(web().ready(new Readiness.Written(Path.of("/run/up"))).startTimeout(Duration.ofSeconds(30)))
                .begin()
                .spawned("web")
                .later(Duration.ofSeconds(10));
        told(
                herd,
                "web",
                "web is STARTING: pid 101 runs, and is not ready yet: it waits for a change of /run/up",
                "in 20000ms: it is ready before that, or is ended as a start that failed (start_timeout)",
                "logs -n 50 web, stop web, restart web");
    }

    @Test
    void starting_without_a_limit() {
        Herd herd = herd(web().ready(new Readiness.Notified()).startTimeout(Duration.ZERO))
                .begin()
                .spawned("web");
        assertEquals(
                "it is waited for without a limit (start_timeout: 0s)",
                why(herd, "web").next().text());
        herd.of(
                "web",
                notice(
                        herd,
                        "web",
                        new Notice(
                                false,
                                false,
                                false,
                                Optional.of("warming up"),
                                false,
                                false,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty())));
        assertEquals(List.of("web says of itself: warming up"), why(herd, "web").notes());
    }

    private static Event notice(Herd herd, String name, Notice notice) {
        RunId run = herd.serviceOf(name).run().orElseThrow().id();
        return new Event.Notified(run, notice);
    }

    @Test
    void running_and_well() {
        Herd herd = herd(web()).allRunning("web");
        told(
                herd,
                "web",
                "web is RUNNING: pid 101 runs and is ready",
                "nothing has to be done",
                "logs -n 50 web, restart web");
        assertEquals(Optional.empty(), why(herd, "web").log(), "what one that is well said last explains nothing");
    }

    @Test
    void running_again_after_failures() {
        Herd herd = herd(web()).allRunning("web").exits("web", 3);
        herd.fires("web", TimerKind.RESTART).committed().spawned("web").fires("web", TimerKind.READY);
        told(
                herd.later(Duration.ofSeconds(20)),
                "web",
                "web is RUNNING: pid 102 runs and is ready after it ended once: exit 3",
                "in 40000ms: its failures no longer count for the next backoff",
                "logs -n 50 web, restart web");
        assertTrue(why(herd, "web").log().isPresent());
    }

    @Test
    void a_oneshot_at_work_and_one_that_is_done() {
        Herd herd = herd(web().oneshot()).begin().spawned("web");
        told(herd, "web", "web is RUNNING: pid 101 is at work", "it ends by itself", "logs -n 50 web, restart web");
        told(
                herd.exits("web", 0),
                "web",
                "web is EXITED: it has ended as it should (exit 0), and restart is never",
                "nothing until somebody starts it, or the supervisor is started afresh",
                "logs -n 50 web, start web");
    }

    @Test
    void exited_with_a_failure_that_its_policy_lets_be() {
        told(
                herd(web().restart(RestartPolicy.NEVER)).allRunning("web").exits("web", 2),
                "web",
                "web is EXITED: it has ended (exit 2), and is not started again, since restart is never",
                "nothing until somebody starts it, or the supervisor is started afresh",
                "logs -n 50 web, start web");
    }

    @Test
    void backoff_tells_how_often_in_what_time_and_when_it_goes_on() {
        Herd herd = herd(web().startLimit(new RestartIntensity(5, Duration.ofMinutes(5))))
                .allRunning("web");
        for (int i = 0; i < 2; i++) {
            herd.exits("web", 1)
                    .fires("web", TimerKind.RESTART)
                    .committed()
                    .spawned("web")
                    .fires("web", TimerKind.READY);
        }
        herd.later(Duration.ofSeconds(17)).exits("web", 1).committed().later(Duration.ofMillis(400));
        told(
                herd,
                "web",
                "web is BACKOFF: it ended 3 times in 20s, each time: exit 1",
                // The last one was well for 17s, so the restart that led to it had worked, and counts no more.
                "in 600ms: it is started again; after 4 more failures within 5m it is given up",
                "logs -n 50 web, start web, stop web");
        assertEquals(3, why(herd, "web").failures().size());
        assertEquals(
                Path.of("/var/log/web.log"),
                why(herd, "web").log().orElseThrow().file());
    }

    @Test
    void backoff_of_different_failures_names_the_last() {
        Herd herd = herd(web()).allRunning("web");
        herd.exits("web", 1)
                .fires("web", TimerKind.RESTART)
                .committed()
                .spawned("web")
                .fires("web", TimerKind.READY);
        herd.killed("web");
        assertEquals(
                "web is BACKOFF: it ended twice in 1.5s, the last time: SIGTERM",
                why(herd, "web").summary());
    }

    @Test
    void what_cannot_be_started_points_to_the_services_file() {
        told(
                herd(web()).begin().spawnFails("web"),
                "web",
                "web is BACKOFF: it ended once: ENOENT",
                "in 1000ms: it is started again",
                "check /etc/services.yml, reload, start web, stop web");
    }

    @Test
    void stopping_tells_when_it_is_killed_and_what_follows() {
        Herd herd =
                herd(web()).allRunning("web").act(Verb.STOP, "web").committed().later(Duration.ofSeconds(4));
        told(
                herd,
                "web",
                "web is STOPPING: stopped by an operator; pid 101 was asked to end",
                "in 6000ms: it has ended by then, or is killed (SIGKILL); then it is STOPPED",
                "logs -n 50 web, signal KILL web");
        herd = herd(web()).allRunning("web").act(Verb.RESTART, "web").committed();
        assertEquals(
                "it has ended by then, or is killed (SIGKILL); then it is started again, if its policy says so",
                why(herd, "web").next().text());
    }

    @Test
    void fatal_tells_why_and_that_nothing_follows() {
        Herd herd = herd(web().startLimit(new RestartIntensity(1, Duration.ofMinutes(5))))
                .allRunning("web");
        herd.exits("web", 1)
                .fires("web", TimerKind.RESTART)
                .committed()
                .spawned("web")
                .exits("web", 1);
        told(
                herd,
                "web",
                "web is FATAL: it was given up: 1 restart within 5m did not help; last: exit 1; it ended twice in 1s, each time:"
                        + " exit 1",
                "nothing until somebody starts it: no restart is tried any more",
                "logs -n 50 web, start web, stop web");
        herd = herd(web().giveUpExitCodes(Set.of(78))).allRunning("web").exits("web", 78);
        assertEquals(
                "web is FATAL: it was given up: exit 78 is one of its give_up_exit_codes",
                why(herd, "web").summary());
        herd = herd(web().restart(RestartPolicy.NEVER)).begin().spawnFails("web");
        assertEquals(
                "web is FATAL: it was given up: cannot start: ENOENT",
                why(herd, "web").summary());
        assertEquals(
                "jsupervise check /etc/services.yml",
                why(herd, "web").can().get(0).command());
    }

    // ---- what is waited for ----

    private static List<Dependency> on(String other, Dependency.Condition condition) {
        return List.of(new Dependency(new ServiceName(other), condition));
    }

    @Test
    void the_chain_leads_to_the_one_that_everything_hangs_on() {
        Herd herd = herd(
                Herd.service("db").log(LogSpec.ToFile.of(Path.of("/var/log/db.log"))),
                Herd.service("app").dependsOn(on("db", Dependency.Condition.READY)),
                web().dependsOn(on("app", Dependency.Condition.READY)));
        herd.begin().spawned("db").exits("db", 1).committed();
        told(
                herd,
                "web",
                "web waits for app, app waits for db; db is BACKOFF: it ended once: exit 1",
                "in 1000ms: it is started again; web starts when it waits for nothing any more",
                "logs -n 50 db, start db, stop db, stop web");
        Explanation why = why(herd, "web");
        assertEquals(
                "it waits for app to be ready (it is WAITING)",
                why.because().get(0).text());
        assertEquals(
                "it waits for db to be ready (it is BACKOFF)",
                why.because().get(1).text());
        assertEquals(Path.of("/var/log/db.log"), why.log().orElseThrow().file());
        assertEquals(1, why.failures().size());
        assertEquals(List.of("for db waits app"), why(herd, "db").notes());
    }

    @Test
    void of_several_it_follows_the_one_that_will_not_come_by_itself() {
        Herd herd = herd(
                Herd.service("a"),
                Herd.service("b"),
                web().dependsOn(List.of(
                        new Dependency(new ServiceName("a"), Dependency.Condition.STARTED),
                        new Dependency(new ServiceName("b"), Dependency.Condition.READY))));
        herd.begin().act(Verb.STOP, "b").spawned("b").exits("b", 0);
        Explanation why = why(herd, "web");
        assertEquals(
                "it waits for a to be started (it is STARTING) and b to be ready (it is STOPPED)",
                why.because().get(0).text());
        assertEquals("web waits for b; b is STOPPED: an operator stopped it", why.summary());
        assertEquals("jsupervise start b", why.can().get(0).command());
    }

    @Test
    void a_migration_that_failed_is_what_it_waits_for() {
        Herd herd =
                herd(Herd.service("migrate").oneshot(), web().dependsOn(on("migrate", Dependency.Condition.COMPLETED)));
        herd.begin().spawned("migrate").exits("migrate", 1);
        Explanation why = why(herd, "web");
        assertEquals(
                "it waits for migrate to be completed with success (it is EXITED)",
                why.because().get(0).text());
        assertEquals(
                "web waits for migrate; migrate is EXITED: it has ended (exit 1), and is not started again, since restart is never",
                why.summary());
    }

    @Test
    void waiting_for_a_slot_names_who_has_it() {
        Herd herd = herd(1, Herd.service("a"), web()).begin();
        told(
                herd,
                "web",
                "web is WAITING: max_parallel_starts lets no more start at once; before it: a",
                "it starts when that has come about",
                "stop web");
    }

    @Test
    void waiting_for_its_jitter() {
        told(
                herd(web().startJitter(Duration.ofSeconds(30))).begin(),
                "web",
                "web is WAITING: its start is delayed by a random part of start_jitter (30s)",
                "it starts when that has come about",
                "stop web");
    }

    // ---- hooks ----

    @Test
    void hooks_that_run_are_named() {
        Herd herd = herd(web().hooks(new Hooks(HOOK, HOOK, HOOK, HOOK))).begin().committed();
        assertEquals(
                "web is STARTING: its pre_start runs first", why(herd, "web").summary());
        herd.spawned("web");
        assertEquals(
                "web is STARTING: its pre_start runs first (pid 101)",
                why(herd, "web").summary());
        herd.exits("web", 0).committed().spawned("web").committed();
        assertEquals(
                "web is STARTING: pid 102 runs, and its post_start has to succeed before it is ready",
                why(herd, "web").summary());
        herd.spawned("web")
                .exits("web", 0)
                .fires("web", TimerKind.READY)
                .act(Verb.STOP, "web")
                .committed();
        assertEquals(
                "web is STOPPING: stopped by an operator; its stop_command runs",
                why(herd, "web").summary());
    }

    @Test
    void hooks_that_tell_are_a_note() {
        Herd herd = herd(web().hooks(Hooks.NONE.telling(HOOK, HOOK, HOOK)))
                .allRunning("web")
                .exits("web", 1);
        assertEquals(List.of("its on_failure runs beside it"), why(herd, "web").notes());
    }

    // ---- what else is worth knowing ----

    @Test
    void a_ladder_is_told_with_its_next_rung() {
        Escalation ladder =
                new Escalation(Duration.ofSeconds(10), List.of(new Rung.RestartDependents(), new Rung.Shutdown()));
        Herd herd = herd(web().startLimit(new RestartIntensity(1, Duration.ofMinutes(5)))
                        .escalation(ladder))
                .allRunning("web")
                .exits("web", 1);
        assertEquals(
                "it is started again; after one more failure within 5m the next rung of its ladder is taken"
                        + " (restart-dependents)",
                why(herd, "web").next().text().replace("after 1 more failure", "after one more failure"));
        herd.fires("web", TimerKind.RESTART).committed().spawned("web").exits("web", 1);
        assertEquals(List.of(), why(herd, "web").notes());
        assertTrue(
                why(herd, "web").next().text().contains("(shutdown)"),
                why(herd, "web").next().text());
    }

    @Test
    void a_ladder_is_told_before_and_behind_each_of_its_rungs() {
        Escalation escalation = new Escalation(
                Duration.ofSeconds(10),
                List.of(
                        new Rung.RestartDependents(),
                        new Rung.RestartGroup(),
                        new Rung.Run(HOOK.get()),
                        new Rung.Shutdown()));
        Herd herd = herd(
                        web().startLimit(new RestartIntensity(0, Duration.ofMinutes(5)))
                                .escalation(escalation),
                        Herd.service("shop").dependsOn(on("web", Dependency.Condition.READY)),
                        Herd.service("mail").dependsOn(on("shop", Dependency.Condition.READY)))
                .begin();
        for (String name : List.of("web", "shop", "mail")) {
            herd.spawned(name).fires(name, TimerKind.READY);
        }
        herd.committed();
        assertEquals(
                "0 of [restart-dependents, restart-group, run, shutdown], next 1 restart what depends on it: mail, shop;"
                        + " the next rung is taken after 1 more failure within 5m",
                ladder(herd));
        herd.exits("web", 1);
        assertEquals(
                "1 of [restart-dependents, restart-group, run, shutdown], is to restart what depends on it: mail, shop,"
                        + " next 2 restart the others of its group, and there are none;"
                        + " it is started again when that is done",
                ladder(herd));
        Explanation.Ladder ladder = why(herd, "web").ladder().orElseThrow();
        assertEquals(Optional.of("start_limit allows no restart; last: exit 1"), ladder.why());
        assertFalse(ladder.done());
        herd.committed();
        for (String other : List.of("mail", "shop")) {
            herd.killed(other).committed();
        }
        herd.committed().fires("web", TimerKind.RESTART);
        herd.committed().spawned("web");
        assertEquals(
                "1 of [restart-dependents, restart-group, run, shutdown], was to restart what depends on it: mail, shop,"
                        + " next 2 restart the others of its group, and there are none;"
                        + " the next rung is taken after 1 more failure within 5m; it begins with the first again when it"
                        + " was ready, and nothing was wrong with it, for 10s",
                ladder(herd));
    }

    /** In one line. */
    private static String ladder(Herd herd) {
        Explanation.Ladder ladder = why(herd, "web").ladder().orElseThrow();
        return ladder.taken() + " of " + ladder.rungs()
                + ladder.last()
                        .map(last -> (ladder.done() ? ", was to " : ", is to ") + last.text())
                        .orElse("")
                + ladder.next()
                        .map(next -> ", next " + next.number() + " " + next.text())
                        .orElse(", none is left")
                + "; " + ladder.then();
    }

    @Test
    void one_without_a_ladder_has_none() {
        assertEquals(Optional.empty(), why(herd(web()).allRunning("web"), "web").ladder());
    }

    @Test
    void a_stale_journal_is_said() {
        Herd herd = herd(web()).allRunning("web").journalFails();
        assertEquals(
                List.of(
                        "the journal cannot be written (write /s/journal/web.json: ENOSPC (no space left on device)): what"
                                + " happens now is forgotten if the supervisor dies"),
                why(herd, "web").notes());
    }

    @Test
    void adopted_with_another_spec() {
        ServiceSpec spec = web().build();
        Service left = Bench.startedWith(
                spec, Fingerprint.of(ServiceSpec.of("web", "y").build()));
        Herd herd = new Herd(0, Set.of(), left).begin();
        herd.of("web", new Event.LeftoverFound(left.run().orElseThrow().id(), Bench.process(99)));
        assertEquals(
                List.of(
                        "web was started by an earlier supervisor, and taken over",
                        "web runs with what the services file said before; a restart has it run with what it says now"),
                why(herd, "web").notes());
    }

    @Test
    void an_end_that_nobody_saw_is_not_dressed_up() {
        ServiceSpec spec = web().build();
        Service left = Bench.startedWith(spec, Fingerprint.of(spec));
        Herd herd = new Herd(0, Set.of(), left).begin();
        RunId run = left.run().orElseThrow().id();
        herd.of("web", new Event.ChildExited(run, new ExitStatus.Unknown()));
        assertEquals(
                "web is BACKOFF: it ended once: nobody knows how, because no supervisor ran",
                why(herd, "web").summary());
    }

    @Test
    void what_was_left_over_is_ended_first() {
        Service left = Bench.recorded(
                web().build(),
                ServiceState.STOPPING,
                Optional.of(new Service.Ending(Cause.HEARTBEAT, "no heartbeat for 3s")),
                Wanted.UP);
        Herd herd = new Herd(0, Set.of(), left).begin();
        assertEquals(
                "web is STOPPING: no heartbeat for 3s; pid 99 is to be asked to end",
                why(herd, "web").summary());
    }

    @Test
    void a_reload_that_ends_it_and_a_supervisor_that_ends_are_said() {
        Herd herd = herd(web()).allRunning("web");
        herd.reload(web().umask(7)).committed();
        assertEquals(
                "web is STOPPING: the services file has changed: umask; pid 101 was asked to end",
                why(herd, "web").summary());
        herd = herd(web()).allRunning("web").end().committed();
        assertEquals(
                "web is STOPPING: the supervisor ends; pid 101 was asked to end",
                why(herd, "web").summary());
        assertTrue(why(herd, "web").next().text().endsWith("then it is STOPPED"));
    }

    @Test
    void every_state_and_every_cause_has_words() {
        for (ServiceState state : ServiceState.values()) {
            for (Cause cause : Cause.values()) {
                Service service = Bench.inState(web().build(), state, cause);
                Status status = new Herd(0, Set.of(), service).status();
                Explanation why = Explaining.of(status, new ServiceName("web"));
                assertTrue(why.summary().startsWith("web is " + state + ": "), why.summary());
                assertFalse(why.next().text().isBlank());
                assertFalse(why.can().isEmpty());
            }
        }
    }
}
