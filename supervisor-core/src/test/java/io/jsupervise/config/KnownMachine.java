package io.jsupervise.config;

import io.jsupervise.spec.Account;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.SpawnSpec;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A machine with a few users, 4096 open files for those who are not root and a million for nobody. Its database does not
 * answer when it is asked for "remote".
 */
final class KnownMachine implements Machine {
    private static final List<Account> USERS = List.of(
            new Account("root", 0, 0, List.of(0), "/root", "/bin/bash"),
            new Account("ann", 1000, 1000, List.of(1000, 4), "/home/ann", "/bin/zsh"),
            new Account("www-data", 33, 33, List.of(33), "/var/www", "/usr/sbin/nologin"),
            new Account("postgres", 105, 110, List.of(110, 111), "/var/lib/postgresql", "/bin/bash"),
            new Account("redis", 106, 112, List.of(112), "/var/lib/redis", "/usr/sbin/nologin"),
            new Account("memcache", 107, 113, List.of(113), "/nonexistent", "/bin/false"),
            new Account("bare", 70, 70, List.of(), "", ""));

    private final int uid;
    private final Set<String> missing = new HashSet<>();
    int lookups;

    KnownMachine(int uid) {
        this.uid = uid;
    }

    KnownMachine without(String loader) {
        missing.add(loader);
        return this;
    }

    @Override
    public Optional<Account> user(String nameOrNumber) throws IOException {
        lookups++;
        reach(nameOrNumber);
        for (Account user : USERS) {
            if (user.name().equals(nameOrNumber) || Integer.toString(user.uid()).equals(nameOrNumber)) {
                return Optional.of(user);
            }
        }
        return Optional.empty();
    }

    private static void reach(String name) throws IOException {
        if (name.equals("remote")) {
            throw new IOException("find \"remote\": EIO (input/output error)");
        }
    }

    @Override
    public OptionalInt group(String name) throws IOException {
        lookups++;
        reach(name);
        return switch (name) {
            case "adm" -> OptionalInt.of(4);
            case "ssl-cert" -> OptionalInt.of(111);
            default -> OptionalInt.empty();
        };
    }

    @Override
    public int uid() {
        return uid;
    }

    @Override
    public int gid() {
        return uid;
    }

    @Override
    public boolean maySwitchUser() {
        return uid == 0;
    }

    @Override
    public boolean mayRaiseLimits() {
        return uid == 0;
    }

    @Override
    public ResourceLimit limit(Limit what) {
        OptionalLong files = OptionalLong.of(4096);
        return what == Limit.NOFILE
                ? new ResourceLimit(what, files, files)
                : new ResourceLimit(what, OptionalLong.empty(), OptionalLong.empty());
    }

    @Override
    public long mostOpenFiles() {
        return 1_000_000;
    }

    @Override
    public boolean mayHaveNice(int nice) {
        return uid == 0 || nice >= 0;
    }

    @Override
    public int oomScoreAdj() {
        return 0;
    }

    /** Root has memory and pids; others may make no groups. */
    @Override
    public Optional<Obstacle> obstacle(List<String> controllers) {
        if (uid != 0) {
            return Optional.of(new Obstacle(true, "no groups can be made in /g: EACCES", "be root"));
        }
        return controllers.contains("cpu") && missing.contains("cpu")
                ? Optional.of(new Obstacle(false, "there is no controller cpu in /g", "delegate it"))
                : Optional.empty();
    }

    @Override
    public boolean hasLoader(String name) {
        return !missing.contains(name);
    }

    @Override
    public Optional<Refusal> whyNotExecutable(SpawnSpec what) {
        String program = what.command().argv().get(0);
        return program.startsWith("/nowhere/")
                ? Optional.of(new Refusal(program + ": ENOENT", false))
                : Optional.empty();
    }
}
