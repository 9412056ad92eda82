package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.sim.Program.Beats;
import io.jsupervise.sim.Program.Workers;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.supervision.Ask;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How it goes, to be read: what the machine saw in lower case, what the supervisor told in capitals. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class TranscriptTest {
    private static final Backoff DOUBLING =
            new Backoff(Duration.ofMillis(500), 2, Duration.ofSeconds(30), 0, Duration.ofMinutes(1));

    @Test
    void a_crash_loop_backs_off_and_is_given_up() {
        ServiceSpec web = ServiceSpec.of("web", "/bin/web")
                .backoff(DOUBLING)
                .startLimit(new RestartIntensity(3, Duration.ofMinutes(1)))
                .build();
        Simulation simulation = begin(web, Program.steady().exits(Duration.ofMillis(200), 1));
        simulation.run(Duration.ofMinutes(5));
        assertEquals(
                """
                    0.000000  supervisor SUPERVISOR-STARTED
                    0.000000  spawned web 301
                    0.000000  web STARTED STARTING; pid 301; restarts 0
                    0.200000  ended web 301: exit 1
                    0.200000  signal SIGKILL to the group of web 301
                    0.200000  web EXITED STARTING -> BACKOFF; cause exit; code 1; delay_ms 500; ran_for_ms 200; reason exit 1; restarts 1
                    0.700000  spawned web 302
                    0.700000  web STARTED STARTING; pid 302; restarts 1
                    0.900000  ended web 302: exit 1
                    0.900000  signal SIGKILL to the group of web 302
                    0.900000  web EXITED STARTING -> BACKOFF; cause exit; code 1; delay_ms 1000; ran_for_ms 200; reason exit 1; restarts 2
                    1.900000  spawned web 303
                    1.900000  web STARTED STARTING; pid 303; restarts 2
                    2.100000  ended web 303: exit 1
                    2.100000  signal SIGKILL to the group of web 303
                    2.100000  web EXITED STARTING -> BACKOFF; cause exit; code 1; delay_ms 2000; ran_for_ms 200; reason exit 1; restarts 3
                    4.100000  spawned web 304
                    4.100000  web STARTED STARTING; pid 304; restarts 3
                    4.300000  ended web 304: exit 1
                    4.300000  signal SIGKILL to the group of web 304
                    4.300000  web GAVE-UP STARTING -> FATAL; cause exit; code 1; gave_up 3 restarts within 1m did not help; last: exit 1; ran_for_ms 200; reason exit 1; restarts 3
                """,
                simulation.transcript.text());
    }

    @Test
    void a_hang_is_noticed_at_its_deadline_and_may_dump_before_it_is_ended() {
        ServiceSpec web = ServiceSpec.of("web", "/bin/web")
                .backoff(DOUBLING)
                .heartbeat(new Heartbeat(
                        Scenario.RUNTIME.resolve("heartbeats/web"), Duration.ofSeconds(3), Duration.ofSeconds(10)))
                .stop(new StopSequence(Signal.TERM, Duration.ofSeconds(5), Optional.of(Signal.USR1)))
                .build();
        Beats hangs = new Beats(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4));
        Simulation simulation = begin(web, Program.steady().beats(hangs));
        simulation.run(Duration.ofSeconds(10));
        assertEquals(
                """
                    0.000000  supervisor SUPERVISOR-STARTED
                    0.000000  spawned web 301
                    0.000000  web STARTED STARTING; pid 301; restarts 0
                    1.000000  web READY STARTING -> RUNNING
                    5.996543  web STOPPING RUNNING -> STOPPING; cause heartbeat; reason no heartbeat for 3s
                    5.996543  signal SIGUSR1 to web 301
                    7.996543  signal SIGTERM to the group of web 301
                    7.996543  ended web 301: SIGTERM
                    7.996543  signal SIGCONT to the group of web 301
                    7.996543  signal SIGKILL to the group of web 301
                    7.996543  web EXITED STOPPING -> BACKOFF; cause heartbeat; core false; delay_ms 500; ran_for_ms 7996; reason no heartbeat for 3s; restarts 1; signal SIGTERM
                    8.496543  spawned web 302
                    8.496543  web STARTED STARTING; pid 302; restarts 1
                    9.496543  web READY STARTING -> RUNNING
                """,
                simulation.transcript.text());
    }

    @Test
    void a_stop_that_is_ignored_kills_and_waits_for_the_rest_of_the_group() {
        ServiceSpec web = ServiceSpec.of("web", "/bin/web")
                .stop(new StopSequence(Signal.TERM, Duration.ofSeconds(5), Optional.empty()))
                .build();
        Workers one = new Workers(1, Duration.ofMillis(5), Program.FOREVER, Duration.ZERO);
        Simulation simulation =
                begin(web, Program.steady().onTerm(Optional.empty()).leaves(one));
        simulation.run(Duration.ofSeconds(2));
        simulation.ask(new Ask.Act(Ask.Act.Verb.STOP, List.of(web.name()), true, Duration.ofSeconds(30)));
        simulation.run(Duration.ofSeconds(10));
        simulation.terminate();
        simulation.run(Duration.ofSeconds(1));
        simulation.end();
        assertEquals(
                """
                    0.000000  supervisor SUPERVISOR-STARTED
                    0.000000  spawned web 301
                    0.000000  web STARTED STARTING; pid 301; restarts 0
                    1.000000  web READY STARTING -> RUNNING
                    2.000000  somebody asks to stop [web]
                    2.000000  supervisor ASKED; by_pid 4711; by_uid 1000; services [web]; what stop
                    2.000000  web STOPPING RUNNING -> STOPPING; cause operator; reason stopped by an operator
                    2.000000  signal SIGTERM to the group of web 301
                    2.000000  signal SIGCONT to the group of web 301
                    7.000000  web KILLING; signal SIGKILL
                    7.000000  signal SIGKILL to the group of web 301
                    7.000000  ended web 301: SIGKILL
                    7.000000  signal SIGKILL to the group of web 301
                    7.000000  signal SIGKILL to web 302
                    7.000000  web EXITED; cause operator; core false; ran_for_ms 7000; reason stopped by an operator; restarts 0; signal SIGKILL
                    7.001000  signal SIGKILL to the group of web 301
                    7.001000  signal SIGKILL to web 302
                    7.003000  signal SIGKILL to the group of web 301
                    7.003000  signal SIGKILL to web 302
                    7.005000  ended worker of web 302: SIGKILL
                    7.007000  signal SIGKILL to the group of web 301
                    7.007000  web STOPPED STOPPING -> STOPPED
                    7.007000  the answer: web stopped; recorded
                   12.000000  terminate the daemon
                   12.000000  supervisor SHUTDOWN-BEGUN; by SIGTERM
                   12.000000  supervisor SUPERVISOR-ENDED
                """,
                simulation.transcript.text());
    }

    private static Simulation begin(ServiceSpec service, Program program) {
        return new Simulation(new Simulation.Setup(Scenario.configuration(0, List.of(service)), request -> program), 1);
    }
}
