package io.jsupervise.spec;

import java.util.Map;

/**
 * What a process is started with, as one number: two specs of a service have the same fingerprint exactly where a
 * process of the one could as well be one of the other. Command, directory, environment, umask, privileges, where the output
 * goes, which heartbeat file and which notify socket it is told of count; how it is watched, restarted and stopped does not, since that is the
 * supervisor's own business and holds as soon as the supervisor knows it.
 *
 * <p>It is kept in the journal, so it must be the same on every machine, JVM and version: FNV-1a of 64 bits over the
 * parts in a fixed order (Fowler, Noll, Vo). Something that is new in a later version joins only where it differs from
 * its default.
 */
public final class Fingerprint {
    private static final long OFFSET = 0xcbf29ce484222325L;
    private static final long PRIME = 0x100000001b3L;

    private long hash = OFFSET;

    private Fingerprint() {}

    /** 16 hexadecimal digits. */
    public static String of(ServiceSpec spec) {
        Fingerprint print = new Fingerprint();
        print.add(spec.spawn());
        print.add(spec.log());
        if (spec.heartbeat().isPresent()) {
            print.add("heartbeat");
            print.add(spec.heartbeat().get().file().toString());
        }
        if (spec.isHeard()) {
            print.add("notify");
            print.add(
                    spec.health().watchdogTimeout().isPresent()
                            ? Long.toString(
                                    spec.health().watchdogTimeout().get().toNanos() / 1000)
                            : "no watchdog");
        }
        String digits = Long.toHexString(print.hash);
        return "0".repeat(16 - digits.length()) + digits;
    }

    private void add(SpawnSpec spawn) {
        for (String word : spawn.command().argv()) {
            add(word);
        }
        add(spawn.workingDir().toString());
        for (Map.Entry<String, String> variable : spawn.environment().entrySet()) {
            add(variable.getKey());
            add(variable.getValue());
        }
        add(spawn.inheritEnv() ? "inherit" : "own");
        add(Integer.toOctalString(spawn.umask()));
        if (!spawn.privileges().areOurs()) {
            add(spawn.privileges());
        }
    }

    private void add(Privileges privileges) {
        if (privileges.credentials().isPresent()) {
            Credentials who = privileges.credentials().get();
            add("user");
            add(who.user());
            add(Integer.toString(who.uid()));
            add(Integer.toString(who.gid()));
            add(who.groups().toString());
            add(who.environment().toString());
        }
        for (ResourceLimit limit : privileges.limits()) {
            add(limit.what().word());
            add(limit.range());
        }
        if (privileges.nice().isPresent()) {
            add("nice to others");
            add(Integer.toString(privileges.nice().getAsInt()));
        }
        if (privileges.oomScoreAdj().isPresent()) {
            add("oom_score_adj");
            add(Integer.toString(privileges.oomScoreAdj().getAsInt()));
        }
        if (privileges.noNewPrivs()) {
            add("no_new_privs");
        }
        if (privileges.resources().isPresent()) {
            Resources resources = privileges.resources().get();
            add("resources");
            add(resources.value("memory"));
            add(resources.value("cpu"));
            add(resources.value("pids"));
            add(resources.optional() ? "optional" : "required");
        }
    }

    private void add(LogSpec log) {
        if (log instanceof LogSpec.ToFile file) {
            add("file");
            add(
                    file.stderr() instanceof LogSpec.Stderr.Merge
                            ? "merge"
                            : file.stderr() instanceof LogSpec.Stderr.Null ? "null" : "two");
        } else {
            add(log instanceof LogSpec.None ? "none" : "inherit");
        }
    }

    /** The end of each part counts, so that "ab", "c" is not "a", "bc". */
    private void add(String text) {
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * PRIME;
        }
        hash = (hash ^ 0x1ffff) * PRIME;
    }
}
