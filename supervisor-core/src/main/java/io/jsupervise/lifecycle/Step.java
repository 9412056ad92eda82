package io.jsupervise.lifecycle;

import java.util.List;
import java.util.Optional;

/**
 * What {@link Lifecycle} decided.
 *
 * @param effects   to be carried out in order
 * @param complaint present where the event could not happen in this state; nothing was changed then
 */
public record Step(Service service, List<Effect> effects, Optional<String> complaint) {}
