package io.jsupervise.daemon;

import io.jsupervise.config.Machine;
import io.jsupervise.io.ControlGroups;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Account;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.SpawnSpec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The machine that the tests run on. */
record RealMachine(LinuxOs os) implements Machine {
    @Override
    public Optional<Account> user(String nameOrNumber) throws IOException {
        return os.accounts().user(nameOrNumber);
    }

    @Override
    public OptionalInt group(String name) throws IOException {
        return os.accounts().group(name);
    }

    @Override
    public int uid() {
        return os.uid();
    }

    @Override
    public int gid() {
        return os.rights().gid();
    }

    @Override
    public boolean maySwitchUser() {
        return os.rights().maySwitchUser();
    }

    @Override
    public boolean mayRaiseLimits() {
        return os.rights().mayRaiseLimits();
    }

    @Override
    public ResourceLimit limit(Limit what) {
        return os.rights().limit(what);
    }

    @Override
    public long mostOpenFiles() {
        return os.rights().mostOpenFiles();
    }

    @Override
    public boolean mayHaveNice(int nice) {
        return os.rights().mayHaveNice(nice);
    }

    @Override
    public int oomScoreAdj() {
        return os.rights().oomScoreAdj();
    }

    @Override
    public Optional<Obstacle> obstacle(List<String> controllers) {
        return ControlGroups.find(os)
                .map(groups -> groups.obstacle(controllers))
                .orElse(Optional.of(ControlGroups.NONE))
                .map(found -> new Obstacle(found.ofRights(), found.what(), found.fix()));
    }

    @Override
    public boolean hasLoader(String name) {
        return os.loader(name).isPresent();
    }

    @Override
    public Optional<Refusal> whyNotExecutable(SpawnSpec what) {
        try {
            os.checkProgram(SpawnRequest.toLookAt(what, Map.of()));
            return Optional.empty();
        } catch (SpawnException e) {
            return Optional.of(new Refusal(e.getMessage(), false));
        }
    }
}
