package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.io.Actor;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.linux.LinuxOs;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An actor on a thread of its own, on the real clock. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ActorThreadLinuxTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final LinuxOs os = new LinuxOs();
    private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

    /** Does one piece of work a step. */
    private static final class Worker implements Actor {
        private final Queue<String> inbox = new ConcurrentLinkedQueue<>();
        private final BlockingQueue<String> done = new LinkedBlockingQueue<>();

        @Override
        public void step() {
            String work = inbox.poll();
            if (work != null && work.equals("fail")) {
                throw new IllegalStateException("as asked");
            }
            if (work != null) {
                done.add(work);
            }
        }

        @Override
        public Optional<MonotonicTime> nextStep() {
            return inbox.isEmpty() ? Optional.empty() : Optional.of(MonotonicTime.BOOT);
        }
    }

    @Test
    void work_is_done_when_it_is_woken_whether_it_was_there_before_or_came_later() throws Exception {
        Worker worker = new Worker();
        worker.inbox.add("before");
        ActorThread thread = new ActorThread(os, "worker", worker, Duration.ZERO, failures::add);
        thread.start();
        assertEquals("before", worker.done.poll(10, TimeUnit.SECONDS));
        for (int i = 0; i < 1000; i++) {
            worker.inbox.add("later " + i);
            thread.wake();
            assertEquals("later " + i, worker.done.poll(10, TimeUnit.SECONDS), "a wake-up was lost");
        }
        thread.end(PATIENCE);
    }

    @Test
    void the_end_lets_it_finish_all_that_is_there() {
        Worker worker = new Worker();
        ActorThread thread = new ActorThread(os, "worker", worker, Duration.ZERO, failures::add);
        thread.start();
        for (int i = 0; i < 1000; i++) {
            worker.inbox.add("work");
        }
        thread.end(PATIENCE);
        assertEquals(1000, worker.done.size());
    }

    @Test
    void a_step_that_is_due_later_is_made_then_without_a_wake_up() throws Exception {
        MonotonicTime due = os.now().plus(Duration.ofMillis(50));
        BlockingQueue<MonotonicTime> steps = new LinkedBlockingQueue<>();
        ActorThread thread = new ActorThread(
                os,
                "late",
                new Actor() {
                    @Override
                    public void step() {
                        if (!os.now().isBefore(due)) {
                            steps.add(os.now());
                        }
                    }

                    @Override
                    public Optional<MonotonicTime> nextStep() {
                        return steps.isEmpty() ? Optional.of(due) : Optional.empty();
                    }
                },
                Duration.ZERO,
                failures::add);
        thread.start();
        MonotonicTime made = steps.poll(10, TimeUnit.SECONDS);
        assertTrue(made != null && !made.isBefore(due));
        thread.end(PATIENCE);
    }

    @Test
    void an_actor_that_fails_is_told_of_and_goes_on() throws Exception {
        Worker worker = new Worker();
        worker.inbox.add("fail");
        worker.inbox.add("after");
        ActorThread thread = new ActorThread(os, "worker", worker, Duration.ZERO, failures::add);
        MonotonicTime begun = os.now();
        thread.start();
        assertEquals("as asked", failures.poll(10, TimeUnit.SECONDS).getMessage());
        assertEquals("after", worker.done.poll(10, TimeUnit.SECONDS));
        assertTrue(os.now().since(begun).toMillis() >= 900, "it does not spin");
        assertNull(failures.poll());
        thread.end(PATIENCE);
    }

    @Test
    void work_that_comes_in_a_row_is_gathered() throws Exception {
        Worker worker = new Worker();
        AtomicInteger wakeUps = new AtomicInteger();
        BlockingQueue<Integer> sizes = new LinkedBlockingQueue<>();
        Actor all = new Actor() {
            @Override
            public void step() {
                int size = 0;
                while (worker.inbox.poll() != null) {
                    size++;
                }
                if (size > 0) {
                    sizes.add(size);
                }
                wakeUps.incrementAndGet();
            }

            @Override
            public Optional<MonotonicTime> nextStep() {
                return worker.nextStep();
            }
        };
        ActorThread thread = new ActorThread(os, "patient", all, Duration.ofMillis(500), failures::add);
        thread.start();
        for (int i = 0; i < 100; i++) {
            worker.inbox.add("work");
            thread.wake();
        }
        Integer done = 0;
        for (int left = 100; left > 0; left -= done) {
            done = sizes.poll(10, TimeUnit.SECONDS);
            assertTrue(done != null, "work was forgotten");
        }
        assertTrue(wakeUps.get() <= 4, wakeUps + " steps for work that came in a row");
        thread.end(PATIENCE);
    }
}
