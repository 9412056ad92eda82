package io.jsupervise.spec;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * How the main process of a service is made.
 *
 * @param command     what to run
 * @param workingDir  absolute
 * @param environment variables of the service, {@code env_file} already merged below {@code environment}
 * @param inheritEnv  whether the supervisor's own environment is the base
 * @param umask       0 to 0777
 * @param privileges  as whom, within which limits
 */
public record SpawnSpec(
        Command command,
        Path workingDir,
        Map<String, String> environment,
        boolean inheritEnv,
        int umask,
        Privileges privileges) {
    /** The same for another program, such as a hook. */
    public SpawnSpec with(Command other) {
        return new SpawnSpec(other, workingDir, environment, inheritEnv, umask, privileges);
    }

    public SpawnSpec {
        environment = java.util.Collections.unmodifiableMap(new TreeMap<>(environment));
        if (!workingDir.isAbsolute()) {
            throw new IllegalArgumentException("working_dir must be absolute: " + workingDir);
        }
        if (umask < 0 || umask > 0777) {
            throw new IllegalArgumentException("umask must be between 000 and 777");
        }
    }
}
