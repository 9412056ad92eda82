package io.jsupervise.config;

import java.nio.file.Path;

/**
 * One thing that is wrong.
 *
 * @param line   from 1
 * @param column from 1
 * @param what   the fault
 * @param fix    what to write instead
 */
public record ConfigProblem(Path file, int line, int column, String what, String fix) {
    /** {@code services.yml:14:12: restart "alway" is unknown; use always, on-failure or never}. */
    @Override
    public String toString() {
        return file + ":" + line + ":" + column + ": " + what + "; " + fix;
    }
}
