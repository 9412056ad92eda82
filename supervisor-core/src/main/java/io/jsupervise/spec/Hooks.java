package io.jsupervise.spec;

import java.time.Duration;
import java.util.Optional;

/** Programs that run around a service, as its user, in its directory and environment. */
public record Hooks(
        Optional<Hook> preStart, Optional<Hook> postStart, Optional<Hook> stopCommand, Optional<Hook> postStop) {
    public static final Hooks NONE = new Hooks(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * One of them.
     *
     * @param timeout longer than zero; after that it is killed, with all of its process group
     */
    public record Hook(Command command, Duration timeout) {
        public Hook {
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("the timeout of a hook must be longer than zero");
            }
        }
    }

    public Optional<Hook> of(HookKind kind) {
        return switch (kind) {
            case PRE_START -> preStart;
            case POST_START -> postStart;
            case STOP_COMMAND -> stopCommand;
            case POST_STOP -> postStop;
        };
    }

    public boolean has(HookKind kind) {
        return of(kind).isPresent();
    }
}
