package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * A real {@link Os} whose clock stands still unless told, whose calls fail as told, and that ends the program at a
 * chosen call: every call from there on throws {@link Killed}, which stands for kill -9. All of these happen to real
 * programs at any call. What the program had open then is closed by {@link #closeAll}, as the kernel does.
 */
final class FaultyOs {
    private final Os real;
    private final Os os;
    private final Set<Integer> open = new HashSet<>();
    private MonotonicTime now = new MonotonicTime(1_000_000_000_000L);
    private BiFunction<String, Object[], Errno> failures = (call, arguments) -> Errno.EUNKNOWN;
    private long calls;
    private long killAt = Long.MAX_VALUE;
    private boolean killAfter;
    private int longestWrite = Integer.MAX_VALUE;

    /** The end of the program, wherever it is. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    FaultyOs(Os real) {
        this.real = real;
        this.os = (Os) Proxy.newProxyInstance(
                Os.class.getClassLoader(), new Class<?>[] {Os.class}, (proxy, method, arguments) -> {
                    Object[] given = arguments == null ? new Object[0] : arguments;
                    return call(method.getName(), given, () -> method.invoke(real, given));
                });
    }

    private interface Call {
        Object make() throws ReflectiveOperationException;
    }

    private Object call(String name, Object[] arguments, Call call) throws Throwable {
        if (name.equals("now")) {
            return now;
        }
        calls++;
        if (calls > killAt || calls == killAt && !killAfter) {
            throw new Killed();
        }
        Errno failure = failures.apply(name, arguments);
        if (failure != Errno.EUNKNOWN) {
            throw new OsException(failure, name);
        }
        if (name.equals("write")) {
            arguments[3] = Math.min((int) arguments[3], longestWrite);
        }
        Object result;
        try {
            result = call.make();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
        track(name, arguments, result);
        if (calls == killAt) {
            throw new Killed();
        }
        return result;
    }

    private void track(String name, Object[] arguments, Object result) {
        if (result instanceof Fd fd) {
            open.add(fd.number());
        } else if (result instanceof Fd[] pair) {
            open.add(pair[0].number());
            open.add(pair[1].number());
        } else if (result instanceof Optional<?> some && some.isPresent() && some.get() instanceof Parcel parcel) {
            parcel.descriptors().forEach(fd -> open.add(fd.number()));
        } else if (result instanceof Optional<?> some && some.isPresent() && some.get() instanceof Datagram message) {
            message.descriptors().forEach(fd -> open.add(fd.number()));
        } else if (name.equals("close")) {
            open.remove(((Fd) arguments[0]).number());
        }
    }

    Os os() {
        return os;
    }

    /** @param failures the errno that a call fails with, EUNKNOWN for none */
    void fail(BiFunction<String, Object[], Errno> rule) {
        failures = rule;
    }

    /** No write(2) takes more than this at once, as a nearly full disk or a signal may have it. */
    void writeAtMost(int bytes) {
        longestWrite = bytes;
    }

    void advance(Duration duration) {
        now = now.plus(duration);
    }

    /** Ends the program just before, or just after, the call of this number from now on. */
    void killAt(long call, boolean after) {
        killAt = calls + call;
        killAfter = after;
    }

    boolean wasKilled() {
        return calls >= killAt;
    }

    long calls() {
        return calls;
    }

    Set<Integer> open() {
        return open;
    }

    void closeAll() {
        for (int fd : open) {
            real.close(new Fd(fd));
        }
        open.clear();
    }
}
