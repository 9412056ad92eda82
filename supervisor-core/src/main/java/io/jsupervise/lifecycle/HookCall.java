package io.jsupervise.lifecycle;

import io.jsupervise.spec.Command;
import io.jsupervise.spec.HookKind;
import java.util.Map;

/**
 * What to spawn in place of the command of a service.
 *
 * @param variables what it is told beside what the service is told
 */
public record HookCall(HookKind kind, Command command, Map<String, String> variables) {}
