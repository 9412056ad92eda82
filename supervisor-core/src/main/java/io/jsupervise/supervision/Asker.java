package io.jsupervise.supervision;

import java.util.Optional;

/** Who asks, as the kernel tells it; recorded with every action. The pid is unknown across pid namespaces. */
public record Asker(Optional<Integer> pid, int uid) {}
