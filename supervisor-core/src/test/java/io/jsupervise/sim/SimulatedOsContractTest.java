package io.jsupervise.sim;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsContractTest;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.sim.Program.Writes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;

/** {@link SimulatedOs} keeps the contract that the kernel keeps too. */
class SimulatedOsContractTest extends OsContractTest {
    private static final Path DIR = Path.of("/work");

    private final SimulatedOs os = new SimulatedOs(new World());

    @BeforeEach
    void boot() throws OsException {
        os.mkdir(DIR, 0755);
        os.letPollsWait();
        os.programs(new SimulatedOs.Programs() {
            @Override
            public Program of(SpawnRequest request) throws SpawnException {
                return program(request);
            }

            @Override
            public void check(SpawnRequest request) throws SpawnException {
                program(request);
            }
        });
    }

    private static Program program(SpawnRequest request) throws SpawnException {
        List<String> argv = request.argv();
        return switch (argv.get(0)) {
            case "exits" -> Program.steady().exits(Duration.ofMillis(1), Integer.parseInt(argv.get(1)));
            case "leaves" ->
                Program.steady()
                        .exits(Duration.ofMillis(1), 0)
                        .leaves(new Program.Workers(1, Duration.ZERO, Program.FOREVER, Duration.ZERO));
            case "says" ->
                Program.steady()
                        .says(new Program.Says(
                                Duration.ofMillis(1), argv.get(1), Program.FOREVER, "", Program.FOREVER));
            case "sleeps" -> Program.steady();
            case "writes" -> Program.steady().writes(new Writes(Duration.ofMillis(1), argv.get(1) + "\n"));
            default -> throw new SpawnException(Errno.ENOENT, argv.get(0));
        };
    }

    @Override
    protected Os os() {
        return os;
    }

    @Override
    protected Path dir() {
        return DIR;
    }

    @Override
    protected List<String> exits(int code) {
        return List.of("exits", Integer.toString(code));
    }

    @Override
    protected List<String> sleeps() {
        return List.of("sleeps");
    }

    @Override
    protected List<String> leavesAnOrphan() {
        return List.of("leaves");
    }

    @Override
    protected List<String> says(String message) {
        return List.of("says", message);
    }

    @Override
    protected List<String> writes(String line) {
        return List.of("writes", line);
    }
}
