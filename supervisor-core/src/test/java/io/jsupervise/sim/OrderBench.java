package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Happening;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** An {@link OrderWatch} of two services, the second of which depends on the first, without a daemon: what it sees is made by hand. */
final class OrderBench {
    private final SimulatedOs os = new SimulatedOs(new World());
    private final Configuration file = Scenario.configuration(
            0,
            List.of(
                    ServiceSpec.of("db", "/bin/db")
                            .hooks(new Hooks(
                                    Optional.of(new Hooks.Hook(Command.of("/bin/pre"), Duration.ofSeconds(1))),
                                    Optional.empty(),
                                    Optional.empty(),
                                    Optional.empty()))
                            .build(),
                    ServiceSpec.of("web", "/bin/web")
                            .dependsOn(List.of(new Dependency(new ServiceName("db"), Dependency.Condition.READY)))
                            .build()));
    private long told;

    World world() {
        return os.world;
    }

    /** What is done to the watch breaks a promise of this name. */
    void broken(String promise, Consumer<OrderWatch> what) {
        OrderWatch order = new OrderWatch(os, new Invariants.Excuses());
        order.lifeBegins(file, service -> Optional.empty());
        Violation violation = assertThrows(Violation.class, () -> what.accept(order));
        assertTrue(violation.getMessage().startsWith(promise + ":"), violation.getMessage());
    }

    /** @param hook empty for the main process */
    SpawnRequest request(String service, String run, String hook) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("JSUPERVISE_SERVICE", service);
        environment.put("JSUPERVISE_RUN_ID", "x-1-" + run);
        if (!hook.isEmpty()) {
            environment.put("JSUPERVISE_HOOK", hook);
        }
        return new SpawnRequest(
                List.of("/bin/" + service),
                Path.of("/"),
                environment,
                022,
                new SpawnRequest.Output.Null(),
                new SpawnRequest.Output.SameAsStdout(),
                Privileges.NONE);
    }

    /** One is made, and lives. */
    void spawn(OrderWatch order, String service, String run, String hook) {
        order.spawned(os.processes.spawn(request(service, run, hook).environment(), Program.steady()));
    }

    /** Its main process is there, and it is ready. */
    void runs(OrderWatch order, String service) {
        spawn(order, service, "1", "");
        order.told(happens(Optional.of(service), "started", Optional.of(ServiceState.STARTING), Map.of()));
        order.told(happens(Optional.of(service), "ready", Optional.of(ServiceState.RUNNING), Map.of()));
    }

    Happening happens(Optional<String> service, String event, Optional<ServiceState> to, Map<String, Object> details) {
        return new Happening(
                ++told, os.world.wall(), service.map(ServiceName::new), event, Optional.empty(), to, details);
    }
}
