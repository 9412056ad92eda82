package io.jsupervise.sim;

import io.jsupervise.daemon.ForwardingOutlets;
import io.jsupervise.daemon.Outlets;

/** Who extends it breaks one rule, to see that the {@link Invariants} notice. */
class Saboteur extends ForwardingOutlets {
    Saboteur(Outlets outlets) {
        super(outlets);
    }
}
