package io.jsupervise.cli;

import io.jsupervise.config.Machine;
import io.jsupervise.io.ControlGroups;
import io.jsupervise.os.Errno;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.linux.Accounts;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Account;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.SpawnSpec;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** This machine, reached through the kernel where a services file asks something of it; most do not, and load nothing. */
final class ThisMachine implements Machine {
    private final Supplier<LinuxOs> kernel;
    private LinuxOs os;
    private Accounts accounts;

    ThisMachine(Supplier<LinuxOs> kernel) {
        this.kernel = kernel;
    }

    private LinuxOs os() {
        if (os == null) {
            os = kernel.get();
        }
        return os;
    }

    private Accounts accounts() {
        if (accounts == null) {
            accounts = os().accounts();
        }
        return accounts;
    }

    @Override
    public Optional<Account> user(String nameOrNumber) throws IOException {
        return accounts().user(nameOrNumber);
    }

    @Override
    public OptionalInt group(String name) throws IOException {
        return accounts().group(name);
    }

    @Override
    public int uid() {
        return os().uid();
    }

    @Override
    public int gid() {
        return os().rights().gid();
    }

    @Override
    public boolean maySwitchUser() {
        return os().rights().maySwitchUser();
    }

    @Override
    public boolean mayRaiseLimits() {
        return os().rights().mayRaiseLimits();
    }

    @Override
    public ResourceLimit limit(Limit what) {
        return os().rights().limit(what);
    }

    @Override
    public long mostOpenFiles() {
        return os().rights().mostOpenFiles();
    }

    @Override
    public boolean mayHaveNice(int nice) {
        return os().rights().mayHaveNice(nice);
    }

    @Override
    public int oomScoreAdj() {
        return os().rights().oomScoreAdj();
    }

    @Override
    public Optional<Obstacle> obstacle(List<String> controllers) {
        return ControlGroups.find(os())
                .map(groups -> groups.obstacle(controllers))
                .orElse(Optional.of(ControlGroups.NONE))
                .map(found -> new Obstacle(found.ofRights(), found.what(), found.fix()));
    }

    /** What the environment of the supervisor will have for a PATH is not known here; ours is as good a guess as any. */
    @Override
    public Optional<Refusal> whyNotExecutable(SpawnSpec what) {
        Map<String, String> environment = new HashMap<>();
        if (what.inheritEnv() && System.getenv("PATH") != null) {
            environment.put("PATH", System.getenv("PATH"));
        }
        if (what.environment().containsKey("PATH")) {
            environment.put("PATH", what.environment().get("PATH"));
        }
        try {
            os().checkProgram(SpawnRequest.toLookAt(what, environment));
            return Optional.empty();
        } catch (SpawnException e) {
            boolean ofItsUser =
                    e.errno() == Errno.EACCES && what.privileges().credentials().isPresent();
            return Optional.of(new Refusal(e.getMessage(), ofItsUser));
        }
    }

    @Override
    public boolean hasLoader(String name) {
        return os().loader(name).isPresent();
    }
}
