package io.jsupervise.spec;

import java.time.Duration;
import java.util.Optional;

/** Programs that run around a service and beside it, as its user, in its directory and environment. */
public record Hooks(
        Optional<Hook> preStart,
        Optional<Hook> postStart,
        Optional<Hook> stopCommand,
        Optional<Hook> postStop,
        Optional<Hook> onFailure,
        Optional<Hook> onGiveUp,
        Optional<Hook> onRecovered) {
    public static final Hooks NONE = new Hooks(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /** Those around it alone. */
    public Hooks(
            Optional<Hook> preStart, Optional<Hook> postStart, Optional<Hook> stopCommand, Optional<Hook> postStop) {
        this(preStart, postStart, stopCommand, postStop, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** The same, with those that tell. */
    public Hooks telling(Optional<Hook> failure, Optional<Hook> giveUp, Optional<Hook> recovered) {
        return new Hooks(preStart, postStart, stopCommand, postStop, failure, giveUp, recovered);
    }

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

    /** Empty for ESCALATE: which command that is depends on the rung. */
    public Optional<Hook> of(HookKind kind) {
        return switch (kind) {
            case PRE_START -> preStart;
            case POST_START -> postStart;
            case STOP_COMMAND -> stopCommand;
            case POST_STOP -> postStop;
            case ON_FAILURE -> onFailure;
            case ON_GIVE_UP -> onGiveUp;
            case ON_RECOVERED -> onRecovered;
            case ESCALATE -> Optional.empty();
        };
    }

    public boolean has(HookKind kind) {
        return of(kind).isPresent();
    }

    /** Whether somebody is to be told how the service fares. */
    public boolean hasAlerts() {
        return onFailure.isPresent() || onGiveUp.isPresent() || onRecovered.isPresent();
    }
}
