package io.jsupervise.lifecycle;

import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SpecKeys;
import java.util.List;
import java.util.Optional;

/**
 * What it means for a service, in the state in which it is, that the services file asks for something else. The one
 * place that decides it: {@link Lifecycle} acts by it, and a reload says beforehand what it would do.
 */
public enum SpecChange {
    /** Nothing is different. */
    NONE,
    /** The new spec is taken over; whatever runs, waits or rests goes on doing that. */
    IN_PLACE,
    /** It is started afresh: what runs ends first, and neither backoff nor limits remember what was before. */
    RESTART,
    /** No operator has stopped it, and it shall run now. */
    START;

    public static SpecChange of(Service service, ServiceSpec next) {
        List<SpecKeys.Key> keys = SpecKeys.differing(service.spec(), next);
        boolean fresh = needsRestart(service, next);
        if (keys.isEmpty() && !fresh && service.spec().equals(next)) {
            return startsNow(service, next) ? START : NONE;
        }
        return switch (service.state()) {
            case STOPPED -> startsNow(service, next) ? START : IN_PLACE;
            case STOPPING -> startsNow(service, next) ? START : fresh && isUp(service) ? RESTART : IN_PLACE;
            case STARTING, RUNNING, BACKOFF -> fresh ? RESTART : IN_PLACE;
            case FATAL -> mayCure(keys) && isUp(service) ? RESTART : IN_PLACE;
            case WAITING, EXITED -> IN_PLACE;
        };
    }

    private static boolean isUp(Service service) {
        return service.wanted() == Wanted.UP;
    }

    private static boolean startsNow(Service service, ServiceSpec next) {
        return !isUp(service) && !service.commanded() && next.autostart();
    }

    /**
     * Whether a process of the present spec, or the one that runs, could not as well be one of {@code next}. Of one that
     * runs it counts what it was started with, which after an adoption may be something else than the file said last;
     * where that is not known (an older record, or none) it is taken for what the file said. One that is being ended will
     * be followed by one of the present spec.
     */
    private static boolean needsRestart(Service service, ServiceSpec next) {
        boolean runs = service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING;
        Optional<String> startedWith = runs ? service.run().flatMap(Run::spec) : Optional.empty();
        String present = startedWith.orElseGet(() -> Fingerprint.of(service.spec()));
        return !present.equals(Fingerprint.of(next));
    }

    /** A reload is what an operator does who has mended it; a description or a log mends nothing. */
    private static boolean mayCure(List<SpecKeys.Key> keys) {
        for (SpecKeys.Key key : keys) {
            if (!key.name().equals("description") && !key.name().startsWith("log.")) {
                return true;
            }
        }
        return false;
    }
}
