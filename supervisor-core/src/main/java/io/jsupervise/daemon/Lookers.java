package io.jsupervise.daemon;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Os;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/**
 * A few threads for short tasks that may hang in a slow file system. As a rule there is one; another is added only when
 * the oldest task has waited for so long that all must be stuck. java.util.concurrent's pools start all of them at
 * the first burst, or only ever one.
 */
final class Lookers implements Executor {
    private static final Duration STUCK = Duration.ofMillis(100);
    private static final int MOST = 16;
    private static final long STACK_BYTES = 256 * 1024;

    private final Os os;
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private MonotonicTime lastTake;
    private int threads;
    private int idle;

    Lookers(Os os) {
        this.os = os;
        this.lastTake = os.now();
    }

    /** Our own heartbeat asks every few seconds, so that stuck tasks never wait for longer than that. */
    @Override
    public synchronized void execute(Runnable task) {
        boolean stuck = idle == 0 && os.now().since(lastTake).compareTo(STUCK) > 0;
        tasks.add(task);
        notify();
        if (threads == 0 || stuck && threads < MOST) {
            threads++;
            Thread thread = new Thread(null, this::work, "looker-" + threads, STACK_BYTES);
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void work() {
        while (true) {
            take().run();
        }
    }

    private synchronized Runnable take() {
        while (tasks.isEmpty()) {
            idle++;
            try {
                wait();
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts a looker", e);
            } finally {
                idle--;
            }
        }
        lastTake = os.now();
        return tasks.poll();
    }
}
