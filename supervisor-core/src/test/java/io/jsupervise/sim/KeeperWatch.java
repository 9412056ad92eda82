package io.jsupervise.sim;

import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a keeper is for, and what it may cost.
 *
 * <ul>
 *   <li>How a process ended that died while nobody supervised is known; also where the supervisor was killed between
 *       the reap and the record. The one exception is a process that was spawned so shortly before the kill that its
 *       pidfd had not been sent yet: {@link Life#KEEPER_WAITS}, and as long as the sender was held up.
 *   <li>What waits in a FIFO is never lost.
 *   <li>When everything is well and something is to be kept there is one keeper, and it has every main process and every FIFO, as it has after a
 *       hand-over; after an end in order there is none.
 *   <li>Its queue is short, and the supervisor has no descriptor open that it does not need.
 * </ul>
 *
 * Two things at once are too much: where somebody kills the keeper, or none can be started, or its queue takes nothing,
 * a supervisor that is killed before all is kept again takes with it what was not.
 */
final class KeeperWatch {
    /** Messages beyond two for each 253 descriptors that are needed: 64, those being moved, and marks of readers that were killed. */
    private static final int LONGEST_QUEUE = 64 + 16;

    private static final int MOST_IN_ONE = 253;

    private final SimulatedOs os;
    private final Map<String, SimulatedProcess> lastOf = new HashMap<>();
    private final Map<SimulatedProcess, Long> unsupervisedSince = new HashMap<>();
    private final Set<SimulatedProcess> excused = new HashSet<>();

    /** They ran while the journal was stale: how they ended may have been known, and nowhere recorded. */
    private final Set<SimulatedProcess> unrecorded = new HashSet<>();

    private Set<SimulatedProcess> keptAtBegin = Set.of();
    private boolean trouble;
    private boolean journalIsStale;
    private boolean isHeld;

    /** No keeper could be started, and none was since, by the daemon that lives. */
    private boolean wasRefused;

    private long heldAt = Long.MIN_VALUE;
    private long unknown;
    private long known;

    KeeperWatch(SimulatedOs os) {
        this.os = os;
    }

    /** Ends of processes that died unsupervised, and that nobody knows anything of. */
    long unknown() {
        return unknown;
    }

    /** Those that are known. */
    long known() {
        return known;
    }

    // ---- lives ----

    void lifeBegins() {
        keptAtBegin = os.kept().processes();
        journalIsStale = false;
        wasRefused = false;
    }

    void lifeEnds() {
        if (isHeld) {
            held();
        }
        for (SimulatedProcess process : lastOf.values()) {
            unsupervisedSince.putIfAbsent(process, os.world.nanos());
        }
        queueIsShort();
    }

    void powerGoes() {
        lastOf.clear();
        unsupervisedSince.clear();
        excused.clear();
        unrecorded.clear();
        heldAt = Long.MIN_VALUE;
        trouble = true;
    }

    // ---- what goes wrong, and is put right ----

    /** What is kept may be lost, what should be may not have come there. */
    void trouble() {
        trouble = true;
        excused.addAll(lastOf.values());
    }

    /** Somebody is held up, maybe who keeps. */
    void heldSince() {
        isHeld = true;
    }

    void keeperRefused() {
        wasRefused = true;
        trouble();
    }

    void keeperBegun() {
        wasRefused = false;
    }

    void held() {
        isHeld = false;
        heldAt = os.world.nanos();
    }

    void journalIsStale() {
        journalIsStale = true;
        unrecorded.addAll(lastOf.values());
    }

    /** How its last process ended may have been in it. */
    void recordIsLost(String service) {
        Optional.ofNullable(lastOf.get(service)).ifPresent(unrecorded::add);
    }

    void journalIsRecovered() {
        journalIsStale = false;
    }

    void afterTurn() {
        queueIsShort();
        if (trouble) {
            SimulatedOs.Kept kept = os.kept();
            if (!wasRefused) {
                // Where there is to be none, also what an earlier keeper has is given up. How one ended that could not
                // be
                // taken over is told in a later turn, maybe.
                excused.removeIf(
                        process -> process.isAlive() && kept.processes().contains(process));
            }
            trouble = wasRefused
                    || kept.lengths().size() != 1
                    || !whatIsMissing(kept).isEmpty();
        }
    }

    private String whatIsMissing(SimulatedOs.Kept kept) {
        for (SimulatedProcess process : lastOf.values()) {
            if (process.isAlive() && !kept.processes().contains(process)) {
                return process.toString();
            }
        }
        for (Path fifo : os.openFifos()) {
            if (!kept.fifos().contains(fifo)) {
                return fifo.toString();
            }
        }
        return "";
    }

    private void queueIsShort() {
        SimulatedOs.Kept kept = os.kept();
        int needed = kept.processes().size() + kept.fifos().size();
        for (int length : kept.lengths()) {
            if (length > LONGEST_QUEUE + 2 * (needed / MOST_IN_ONE + 1)) {
                throw new Violation("the keeper", length + " messages wait for " + needed + " descriptors");
            }
        }
    }

    // ---- what happens ----

    void spawned(SimulatedProcess process) {
        if (process.isMainOfService()) {
            lastOf.put(process.service(), process);
            if (trouble) {
                excused.add(process);
            }
            if (journalIsStale) {
                unrecorded.add(process);
            }
        }
    }

    void contentLost(Path fifo, int count) {
        if (!trouble) {
            throw new Violation("promise 5", count + " bytes in " + fifo + " are lost, though there was a keeper");
        }
    }

    /** @param ends of a service, that are recorded now */
    void ended(String service, List<End> ends) {
        for (End end : ends) {
            // A process of another boot.
            boolean isOfBefore = end.reason().contains("started anew");
            boolean isUnknown = !isOfBefore && end.status().equals(Optional.of(new ExitStatus.Unknown()));
            SimulatedProcess process = lastOf.get(service);
            if (isUnknown && process != null) {
                unknown++;
                check(process, end);
            } else if (unsupervisedSince.containsKey(process) && !process.isAlive()) {
                known++;
            }
        }
    }

    private void check(SimulatedProcess process, End end) {
        if (!os.tellsWhatIsKept() || excused.contains(process) || unrecorded.contains(process)) {
            return;
        }
        String what = "of " + process + " nobody knows how it ended (" + end.reason() + "), ";
        Long since = unsupervisedSince.get(process);
        if (since == null) {
            throw new Violation("the keeper", what + "though its supervisor lives");
        }
        if (keptAtBegin.contains(process)) {
            throw new Violation("the keeper", what + "though there was a keeper that had it");
        }
        long told = Math.max(process.bornAt, heldAt) + Life.KEEPER_WAITS.toNanos();
        if (since > told) {
            throw new Violation(
                    "the keeper",
                    what + "and it was not kept, " + (since - process.bornAt) / 1000 + " us after its start");
        }
    }

    // ---- where all is well ----

    void allIsWell() {
        SimulatedOs.Kept kept = os.kept();
        if (kept.lengths().size() > 1) {
            throw new Violation("the keeper", "there are " + kept.lengths().size() + " of it");
        }
        // Without one there has to be nothing to keep: all that there were are one-shots, and all have ended.
        String missing = whatIsMissing(kept);
        if (!missing.isEmpty()) {
            throw new Violation(
                    "the keeper",
                    kept.lengths().isEmpty() ? "is not there for " + missing : "does not have " + missing);
        }
        nothingLeaks();
    }

    /** Of main processes; members of their groups are watched for as long as they cling to life. */
    private void nothingLeaks() {
        int checks = 0;
        Set<SimulatedProcess> seen = new HashSet<>();
        for (SimulatedProcess process : os.watched()) {
            boolean isNeeded = process.isAlive()
                    && (!process.check().isEmpty()
                            || lastOf.containsValue(process)
                            || process.environment.containsKey(SimulatedOs.KEEPER));
            checks += isNeeded && !process.check().isEmpty() ? 1 : 0;
            if (process.isMain && !isNeeded || !seen.add(process)) {
                throw new Violation("no leak", "a pidfd of " + process + " is open; " + os.openFiles());
            }
        }
        Map<String, Integer> open = new HashMap<>();
        for (String file : os.openFiles()) {
            int times = open.merge(file, 1, Integer::sum);
            boolean isPair = file.equals("socket") || file.equals("pipe");
            int most = (isPair ? 2 : 1) + (file.equals("pipe") ? checks : 0);
            if (!file.equals("pidfd") && times > most) {
                throw new Violation("no leak", file + " is open " + times + " times; " + os.openFiles());
            }
        }
    }

    void afterHandOver() {
        String missing = whatIsMissing(os.kept());
        if (!trouble && !missing.isEmpty()) {
            throw new Violation("the keeper", "does not have " + missing + ", which was left to the next supervisor");
        }
    }

    void afterEnd() {
        if (!os.keepers().isEmpty()) {
            throw new Violation("the keeper", "lives after an end in order: " + os.keepers());
        }
    }
}
