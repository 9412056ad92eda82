package io.jsupervise.os.linux;

import io.jsupervise.os.Signals;
import io.jsupervise.spec.Signal;
import jnr.posix.SignalHandler;
import jnr.posix.util.SunMiscSignal;

/**
 * Through the JVM's own handlers: a native one would run on whatever thread the kernel picks, in the middle of anything.
 * jnr-posix knows how to call the JVM's unsupported interface (JEP 260); javac would not let us without a warning.
 */
public final class JvmSignals implements Signals {
    @Override
    public void handle(Signal signal, Runnable handler) {
        SunMiscSignal.signal(jnr.constants.platform.Signal.valueOf(signal.fullName()), new SignalHandler() {
            @Override
            public void handle(int number) {
                handler.run();
            }
        });
    }
}
