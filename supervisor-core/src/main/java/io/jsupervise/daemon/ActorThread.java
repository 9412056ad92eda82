package io.jsupervise.daemon;

import io.jsupervise.io.Actor;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Os;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Gives an {@link Actor} its thread: steps while there is work, and sleeps until it is woken or its next step is due.
 * An actor that fails in a way that it did not foresee is told of and goes on a second later: it must not end what
 * other parts depend on, nor spin.
 */
final class ActorThread {
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    /** Expected work that has not come by then will wake the thread as any other. */
    private static final long LOOK_OUT_NANOS = 500_000;

    private final Os os;
    private final Actor actor;
    private final Consumer<Throwable> failures;
    private final Thread thread;
    private final Duration patience;
    private final AtomicBoolean woken = new AtomicBoolean();
    private volatile boolean expected;
    private volatile boolean ending;

    /**
     * @param patience how long it waits for more work once there is some, and leaves the processor to others
     * @param failures is told of what the actor did not foresee
     */
    ActorThread(Os os, String name, Actor actor, Duration patience, Consumer<Throwable> failures) {
        this.os = os;
        this.patience = patience;
        this.actor = actor;
        this.failures = failures;
        this.thread = new Thread(null, this::run, name, STACK_BYTES);
        thread.setDaemon(true);
    }

    /** Enough for the deepest of our calls into native code; the default would be 1 MiB of address space. */
    private static final long STACK_BYTES = 256 * 1024;

    void start() {
        thread.start();
    }

    /** There is work. Any thread; costs nothing where the actor has been woken and has not begun yet. */
    void wake() {
        if (!woken.getAndSet(true)) {
            LockSupport.unpark(thread);
        }
    }

    /**
     * Work will come within moments, and the thread is to be awake by then: waking one takes as long as all that it has
     * to do. Any thread.
     */
    void expectWork() {
        if (!woken.get()) {
            expected = true;
            LockSupport.unpark(thread);
        }
    }

    /** Lets the actor finish what it has, at most for {@code patience}. */
    void end(Duration patience) {
        ending = true;
        LockSupport.unpark(thread);
        try {
            thread.join(Math.max(1, patience.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        boolean more = true;
        boolean last = false;
        while (more || !last) {
            // Looked at before the step: what was there when the end was asked for is still done.
            last = ending;
            Optional<MonotonicTime> next;
            try {
                woken.set(false);
                actor.step();
                next = actor.nextStep();
            } catch (RuntimeException | Error e) {
                failures.accept(e);
                next = Optional.of(os.now().plus(AFTER_FAILURE));
            }
            more = sleepUntil(next);
        }
    }

    private void lookOut() {
        if (expected) {
            expected = false;
            long end = System.nanoTime() + LOOK_OUT_NANOS;
            while (!woken.get() && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        }
    }

    private void gather() {
        if (patience.isZero()) {
            return;
        }
        MonotonicTime begin = os.now().plus(patience);
        for (long nanos = patience.toNanos();
                nanos > 0 && !ending;
                nanos = begin.since(os.now()).toNanos()) {
            LockSupport.parkNanos(actor, nanos);
        }
    }

    /** Returns at once, with true, where a step is due already. */
    private boolean sleepUntil(Optional<MonotonicTime> next) {
        if (next.isEmpty()) {
            if (!ending) {
                LockSupport.park(actor);
            }
            lookOut();
            gather();
            return false;
        }
        long nanos = next.get().since(os.now()).toNanos();
        if (nanos <= 0) {
            return true;
        }
        if (!ending) {
            LockSupport.parkNanos(actor, nanos);
        }
        return false;
    }
}
