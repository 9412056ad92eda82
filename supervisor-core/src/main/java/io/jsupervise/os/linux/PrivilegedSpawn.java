package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Privileges;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Spawns where a service asks for privileges of its own, or for its own number: looks whether it can be executed with them,
 * and puts the chain in front of it. A nice value is that of the spawning thread for the moment, which costs no loader, where the thread may go
 * back from it. Once there is one of these, all spawns pass here, so that none happens while the thread is not itself.
 */
final class PrivilegedSpawn {
    private final Kernel kernel;
    private final FileRights fileRights;
    private final LoadedProgram loadedProgram;
    private final Chain chain;
    private final PosixSpawn posixSpawn;
    private final Spawn spawn;
    private final boolean root;
    private final int uid;
    private final int ourNice;
    private final boolean threadMayBeNice;
    private int threadNice;

    /** One way to make a process. */
    interface Call {
        Pid spawn(Path program, SpawnRequest request) throws SpawnException;
    }

    /** Finds the program, makes a process of it and watches that. */
    interface Spawn {
        Child spawn(SpawnRequest request, Call call) throws SpawnException;
    }

    PrivilegedSpawn(Kernel kernel, LinuxFiles files, Rights rights, PosixSpawn posixSpawn, Spawn spawn) {
        this.kernel = kernel;
        this.fileRights = new FileRights(kernel);
        this.loadedProgram = new LoadedProgram(kernel, files, fileRights);
        this.chain = new Chain(new LoaderPath(files, System.getenv()));
        this.posixSpawn = posixSpawn;
        this.spawn = spawn;
        this.uid = (int) kernel.call(Syscall.GETEUID, 0, 0, 0);
        this.root = uid == 0;
        this.ourNice = rights.nice();
        this.threadNice = ourNice;
        this.threadMayBeNice = rights.mayReturnFromNice();
    }

    Child spawn(SpawnRequest request) throws SpawnException {
        fileRights.takeBack();
        setNice(ourNice);
        if (!request.isLoaded()) {
            return spawn.spawn(request, posixSpawn::spawn);
        }
        Privileges asked = request.privileges();
        boolean byLoader = asked.nice().isPresent() && !threadMayBeNice;
        OptionalInt niceBy = byLoader ? OptionalInt.of(asked.nice().getAsInt() - ourNice) : OptionalInt.empty();
        boolean switchesUser = switchesUser(asked.credentials());
        SpawnRequest loaded = chain.of(request, switchesUser, niceBy, false);
        if (loaded != request && loadedProgram.check(request, switchesUser)) {
            loaded = chain.of(request, switchesUser, niceBy, true);
        }
        if (asked.nice().isEmpty() || byLoader) {
            return spawn.spawn(loaded, posixSpawn::spawn);
        }
        return spawnNice(asked.nice().getAsInt(), loaded);
    }

    /** Whether there is something to execute, for whom it is to be; what stands in front of it is not looked at. */
    void check(SpawnRequest request) throws SpawnException {
        fileRights.takeBack();
        loadedProgram.check(request, switchesUser(request.privileges().credentials()));
    }

    private Child spawnNice(int nice, SpawnRequest request) throws SpawnException {
        setNice(nice);
        try {
            return spawn.spawn(request, posixSpawn::spawn);
        } finally {
            try {
                setNice(ourNice);
            } catch (SpawnException e) {
                // The child is there all the same. The next spawn tries again, and says so.
            }
        }
    }

    /** Of this thread, the only one that Linux means by "this process"; children inherit it (sched(7)). */
    private void setNice(int nice) throws SpawnException {
        if (threadNice == nice) {
            return;
        }
        long result = kernel.call(Syscall.SETPRIORITY, 0, 0, nice);
        if (result < 0) {
            throw new SpawnException(Errno.of((int) -result), "set nice to " + nice);
        }
        threadNice = nice;
    }

    /** Somebody without privileges can be asked for his own account only, and then he is that already. */
    private boolean switchesUser(Optional<Credentials> who) {
        return who.isPresent() && (root || who.get().uid() != uid);
    }
}
