package io.jsupervise.cli;

import io.jsupervise.os.linux.LinuxOs;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Loads the way to the kernel while the configuration is being read: neither needs the other, and each takes a third of
 * the time until the first service runs. The thread ends when all is loaded.
 */
final class KernelLoading {
    private static final long STACK_BYTES = 256 * 1024;

    private final FutureTask<LinuxOs> loading = new FutureTask<>(LinuxOs::new);

    private KernelLoading() {}

    static KernelLoading begin() {
        KernelLoading kernel = new KernelLoading();
        Thread thread = new Thread(null, kernel::load, "kernel-loading", STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        return kernel;
    }

    private void load() {
        loading.run();
        os().prepareToListen();
    }

    /** Waits until it is there. */
    LinuxOs os() {
        while (true) {
            try {
                return loading.get();
            } catch (InterruptedException e) {
                // Nobody has a reason to; and without a kernel there is nothing to go on with.
            } catch (ExecutionException e) {
                throw new IllegalStateException("cannot reach the kernel: " + e.getCause(), e.getCause());
            }
        }
    }
}
