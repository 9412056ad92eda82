package io.jsupervise.config;

import java.util.List;

/** The configuration cannot be used; the message has one line for each problem. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient List<ConfigProblem> problems;

    ConfigException(List<ConfigProblem> problems) {
        super(lines(problems));
        this.problems = List.copyOf(problems);
    }

    private static String lines(List<ConfigProblem> problems) {
        StringBuilder text = new StringBuilder();
        for (ConfigProblem problem : problems) {
            text.append(text.length() == 0 ? "" : "\n").append(problem);
        }
        return text.toString();
    }

    /** Whether all is right but our rights. */
    public boolean lacksRightsOnly() {
        for (ConfigProblem problem : problems) {
            if (!problem.rights()) {
                return false;
            }
        }
        return true;
    }

    public List<ConfigProblem> problems() {
        return problems;
    }
}
