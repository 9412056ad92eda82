package io.jsupervise.os.linux;

import io.jsupervise.os.Signals;
import io.jsupervise.spec.Signal;
import jnr.ffi.Pointer;
import jnr.posix.SignalHandler;
import jnr.posix.util.SunMiscSignal;

/**
 * Through the JVM's own handlers: a native one would run on whatever thread the kernel picks, in the middle of anything.
 * jnr-posix knows how to call the JVM's unsupported interface (JEP 260); javac would not let us without a warning.
 *
 * <p>A shell without job control starts what runs in the background with INT ignored, and for a signal that is ignored
 * the JVM installs no handler, without a word. For an interactive program that is right; a supervisor that a script
 * started would be deaf to the INT that is to end it. So the disposition is set to the default first.
 */
final class JvmSignals implements Signals {
    private static final int SIGSET_BYTES = 8;
    private static final int SIGACTION_BYTES = 32;
    private static final long SIG_IGN = 1;

    private final Kernel kernel;

    JvmSignals(Kernel kernel) {
        this.kernel = kernel;
    }

    @Override
    public void handle(Signal signal, Runnable handler) {
        if (isIgnored(signal)) {
            setDefault(signal);
        }
        SunMiscSignal.signal(jnr.constants.platform.Signal.valueOf(signal.fullName()), new SignalHandler() {
            @Override
            public void handle(int number) {
                handler.run();
            }
        });
    }

    private boolean isIgnored(Signal signal) {
        Pointer old = kernel.scratch().struct();
        sigaction(signal, 0, old.address());
        return old.getLong(0) == SIG_IGN;
    }

    /** All zero is SIG_DFL, no flags, no restorer and an empty mask on both architectures. */
    private void setDefault(Signal signal) {
        Pointer action = kernel.scratch().struct();
        action.setMemory(0, SIGACTION_BYTES, (byte) 0);
        sigaction(signal, action.address(), 0);
    }

    private void sigaction(Signal signal, long action, long old) {
        long result = kernel.call(Syscall.RT_SIGACTION, signal.number(), action, old, SIGSET_BYTES, 0, 0);
        if (result != 0) {
            throw new AssertionError("rt_sigaction(2) fails for no signal that can be handled: " + signal);
        }
    }
}
