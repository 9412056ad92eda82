package io.jsupervise.sim;

import io.jsupervise.os.SpawnRequest;

/** Programs that tell how a service is: of one check there is one process at a time, whoever supervises, and whatever becomes of its answer. */
final class CheckWatch {
    static final String NAME = "JSUPERVISE_CHECK_NAME";

    private CheckWatch() {}

    /** A process is about to be made; whether it is one of a check, and so none of what anybody else watches. */
    static boolean attempted(SpawnRequest request, Iterable<SimulatedProcess> present) {
        String check = request.environment().getOrDefault(NAME, "");
        if (check.isEmpty()) {
            return false;
        }
        String service = request.environment().get("JSUPERVISE_SERVICE");
        for (SimulatedProcess process : present) {
            boolean isSame =
                    process.service().equals(service) && process.check().equals(check);
            if (process.isMain && process.isAlive() && isSame) {
                throw new Violation("checks", process + " still runs, and the next one is being started");
            }
        }
        return true;
    }
}
