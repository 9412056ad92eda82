package io.jsupervise.cli;

import io.jsupervise.config.Machine;
import io.jsupervise.spec.Account;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.SpawnSpec;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A machine that gives all that a services file asks for, so that nothing is looked up: for who only wants to know how services hang
 * together, and starts none of them.
 */
final class AnyMachine implements Machine {
    @Override
    public Optional<Account> user(String nameOrNumber) {
        return Optional.of(new Account(nameOrNumber, 0, 0, List.of(), "", ""));
    }

    @Override
    public OptionalInt group(String name) {
        return OptionalInt.of(0);
    }

    @Override
    public int uid() {
        return 0;
    }

    @Override
    public int gid() {
        return 0;
    }

    @Override
    public boolean maySwitchUser() {
        return true;
    }

    @Override
    public boolean mayRaiseLimits() {
        return true;
    }

    @Override
    public ResourceLimit limit(Limit what) {
        return new ResourceLimit(what, OptionalLong.empty(), OptionalLong.empty());
    }

    @Override
    public long mostOpenFiles() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean mayHaveNice(int nice) {
        return true;
    }

    @Override
    public int oomScoreAdj() {
        return -1000;
    }

    @Override
    public Optional<Obstacle> obstacle(List<String> controllers) {
        return Optional.empty();
    }

    @Override
    public Optional<Refusal> whyNotExecutable(SpawnSpec what) {
        return Optional.empty();
    }

    @Override
    public boolean hasLoader(String name) {
        return true;
    }
}
