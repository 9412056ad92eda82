package io.jsupervise.sim;

import io.jsupervise.os.Errno;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What may go wrong, drawn from a seed. Each fault is one that a real machine produces, and one that the design says
 * how to survive:
 *
 * <ul>
 *   <li><b>spawn</b>: EAGAIN and ENOMEM (too many processes, no memory), ENOENT and ETXTBSY (a program that is being
 *       replaced), EMFILE (no pidfd). Survived as a start failure: backoff, start limit.
 *   <li><b>the disk</b>: ENOSPC, EDQUOT, EIO and EROFS on open, write, fsync and rename, for one call or for a spell of
 *       seconds; writes of fewer bytes than asked. Survived by declaring the journal stale, going on without it, and
 *       trying again; events are lost, which their numbers show.
 *   <li><b>the keeper</b>: it cannot be started (as any spawn), its queue takes no message (EAGAIN, ETOOMANYREFS), and
 *       somebody kills it. Survived as long as the daemon is not killed as well before there is another one that has
 *       everything; then output and ends may be lost.
 *   <li><b>waiting</b>: any call that an actor makes may take up to seconds, and the actor may be preempted between
 *       any two of its calls, while everybody else goes on. Survived since nobody waits for an actor for longer than
 *       the two seconds after which the journal is declared stale.
 *   <li><b>a pause</b> of the whole daemon: SIGSTOP, a garbage collection, an overloaded machine. Survived since every
 *       deadline is looked at anew when it goes on.
 *   <li><b>clocks</b>: the wall clock steps by up to a day in either direction, the machine is suspended.
 * </ul>
 *
 * Not faults, because no promise could be kept with them: calls of the loop itself (signals, pidfds, the poller) fail
 * or wait only where the kernel is broken; a synced file that loses its content; stat(2) of a heartbeat file that
 * fails (the core counts that as silence, and says so); the clock of the machine running at another rate;
 * steps of the wall clock that undo each other before anybody looks at it again.
 */
final class Faults {
    private final SplittableRandom random;
    private final World world;
    private final double spawnRefused;
    private final double diskFails;
    private final double diskSpell;
    private final double slow;
    private double shortWrites;
    private double sendsRefused;
    private boolean ceased;
    private long spellUntil;
    private Errno spell = Errno.ENOSPC;

    /** Nothing goes wrong. */
    static Faults none(World world) {
        return new Faults(world, new SplittableRandom(0), 0, 0, 0, 0);
    }

    /** Nothing fails, but half of all writes take fewer bytes than asked, and each call may be interrupted by others. */
    static Faults interruptions(World world, long seed) {
        Faults faults = new Faults(world, new SplittableRandom(seed), 0, 0, 0, 1);
        faults.shortWrites = 0.5;
        return faults;
    }

    /**
     * @param spawnRefused probability that a spawn fails
     * @param diskFails    probability that one call to the disk fails
     * @param diskSpell    probability that one call to the disk begins a spell of failures
     * @param slow         probability that a call of an actor takes long
     */
    Faults(World world, SplittableRandom random, double spawnRefused, double diskFails, double diskSpell, double slow) {
        this.world = world;
        this.random = random;
        this.spawnRefused = spawnRefused;
        this.diskFails = diskFails;
        this.diskSpell = diskSpell;
        this.slow = slow;
    }

    /** @param probability that a message with descriptors is refused */
    void refuseToSend(double probability) {
        sendsRefused = probability;
    }

    boolean refusesToSend() {
        return happens(sendsRefused);
    }

    boolean ofDiskMayCome() {
        return diskFails > 0 || diskSpell > 0;
    }

    /** From now on nothing goes wrong any more. */
    void cease() {
        ceased = true;
    }

    private boolean happens(double probability) {
        return !ceased && probability > 0 && random.nextDouble() < probability;
    }

    Optional<Errno> ofSpawn() {
        if (!happens(spawnRefused)) {
            return Optional.empty();
        }
        Errno[] reasons = {Errno.EAGAIN, Errno.ENOMEM, Errno.ENOENT, Errno.ETXTBSY, Errno.EMFILE};
        return Optional.of(reasons[random.nextInt(reasons.length)]);
    }

    Optional<Errno> ofDisk() {
        if (!ceased && world.nanos() < spellUntil) {
            return Optional.of(spell);
        }
        Errno[] reasons = {Errno.ENOSPC, Errno.EIO, Errno.EDQUOT, Errno.EROFS};
        if (happens(diskSpell)) {
            spell = reasons[random.nextInt(reasons.length)];
            spellUntil = world.nanos() + random.nextLong(5_000_000_000L);
            return Optional.of(spell);
        }
        return happens(diskFails) ? Optional.of(reasons[random.nextInt(reasons.length)]) : Optional.empty();
    }

    /** Of a call that only reads: it is not told that a disk is full. */
    Optional<Errno> ofReading() {
        return ofDisk().filter(errno -> errno == Errno.EIO);
    }

    /** How many of {@code length} bytes one write takes. */
    int ofWrite(int length) {
        return length > 1 && happens(Math.max(diskFails, shortWrites)) ? 1 + random.nextInt(length - 1) : length;
    }

    /** How long a call of an actor takes. */
    Duration ofWaiting() {
        if (!happens(slow)) {
            return Duration.ZERO;
        }
        // Mostly milliseconds, now and then seconds.
        long most = random.nextInt(8) == 0 ? 4_000_000_000L : 20_000_000L;
        return Duration.ofNanos(random.nextLong(most));
    }
}
