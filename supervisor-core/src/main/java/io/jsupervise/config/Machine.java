package io.jsupervise.config;

import io.jsupervise.spec.Account;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.SpawnSpec;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What a services file asks of the machine that it is read on, before anything is started. Only what the file uses is asked
 * for. Users and groups may live in a database on another machine, so answers may take their time.
 */
public interface Machine {
    /**
     * A user by name, or by number where it is one.
     *
     * @return empty where nobody is known by that
     * @throws IOException where the database does not answer
     */
    Optional<Account> user(String nameOrNumber) throws IOException;

    /** The number of a group, by its name. */
    OptionalInt group(String name) throws IOException;

    int uid();

    int gid();

    /** Whether we may become another user, and be in other groups. */
    boolean maySwitchUser();

    /** Whether we may allow more than {@link #limit}. */
    boolean mayRaiseLimits();

    /** What we may have ourselves. */
    ResourceLimit limit(Limit what);

    /** What nobody may have more open files than. */
    long mostOpenFiles();

    boolean mayHaveNice(int nice);

    /** Ours; a lower one takes privileges. */
    int oomScoreAdj();

    /** Why services cannot have control groups with these controllers of version 2; empty where they can. */
    Optional<Obstacle> obstacle(List<String> controllers);

    /**
     * Why this machine does not give something.
     *
     * @param ofRights whether somebody with more rights could have it
     * @param what     what is in the way, and where
     * @param fix      what to do about it
     */
    record Obstacle(boolean ofRights, String what, String fix) {}

    /**
     * Why something cannot be executed.
     *
     * @param why       with the path and the errno
     * @param ofItsUser whether it is there, and the user that the file names is not permitted to
     */
    record Refusal(String why, boolean ofItsUser) {}

    /**
     * Why its program cannot be executed here and now, as the user that it names; empty where it can. Only asked by who wants
     * to be told ({@link ConfigReader#read(java.nio.file.Path, ConfigFiles, Surroundings, Machine, Consumer)}), since each start
     * sees for itself.
     */
    Optional<Refusal> whyNotExecutable(SpawnSpec what);

    /** Whether there is the program that {@link io.jsupervise.spec.Privileges#loaders} names. */
    boolean hasLoader(String name);
}
