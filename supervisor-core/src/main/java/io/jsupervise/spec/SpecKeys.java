package io.jsupervise.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * In which keys two specs of a service differ, by the names of the services file. A key whose value a process is born
 * with needs another process to take effect ({@link Key#restart}); everything else is the supervisor's own business and
 * holds as soon as the supervisor knows it. {@link Fingerprint} covers exactly the former; docs/configuration.md has
 * both as a table, and a test holds the three together.
 */
public final class SpecKeys {
    private final List<Key> keys = new ArrayList<>();

    /**
     * One key.
     *
     * @param restart whether a running process has to be replaced for it
     */
    public record Key(String name, boolean restart) {
        @Override
        public String toString() {
            return name;
        }
    }

    private SpecKeys() {}

    /** In the order of docs/configuration.md; empty where the two are equal. */
    public static List<Key> differing(ServiceSpec before, ServiceSpec after) {
        if (before == after) {
            return List.of();
        }
        SpecKeys differing = new SpecKeys();
        differing.compare(before, after);
        differing.compare(before.heartbeat(), after.heartbeat());
        differing.compareHealth(before, after);
        differing.compare(before.stop(), after.stop());
        differing.compare(before.hooks(), after.hooks());
        differing.compare(before.log(), after.log());
        return differing.keys;
    }

    private void compare(ServiceSpec before, ServiceSpec after) {
        SpawnSpec old = before.spawn();
        SpawnSpec young = after.spawn();
        born("command", old.command(), young.command());
        held("type", before.type(), after.type());
        held("description", before.description(), after.description());
        held("autostart", before.autostart(), after.autostart());
        held("depends_on", before.dependsOn(), after.dependsOn());
        held("groups", before.group(), after.group());
        born("working_dir", old.workingDir(), young.workingDir());
        born("environment", old.environment(), young.environment());
        born("inherit_env", old.inheritEnv(), young.inheritEnv());
        born("umask", old.umask(), young.umask());
        compare(old.privileges(), young.privileges());
        held("start_jitter", before.startJitter(), after.startJitter());
        add("ready", before.ready(), after.ready(), isToldAnew(before, after));
        held("start_timeout", before.startTimeout(), after.startTimeout());
        held("restart", before.restart(), after.restart());
        held("success_exit_codes", before.successExitCodes(), after.successExitCodes());
        held("give_up_exit_codes", before.giveUpExitCodes(), after.giveUpExitCodes());
        held("backoff", before.backoff(), after.backoff());
        held("start_limit", before.startLimit(), after.startLimit());
        held("critical", before.critical(), after.critical());
        if (before.escalation() != after.escalation()) {
            held("verify", before.escalation().stableFor(), after.escalation().stableFor());
            held("escalate", before.escalation().ladder(), after.escalation().ladder());
        }
    }

    private void compare(Privileges before, Privileges after) {
        if (before.areOurs() && after.areOurs()) {
            return;
        }
        Optional<Credentials> old = before.credentials();
        Optional<Credentials> young = after.credentials();
        Optional<String> name = old.map(Credentials::user);
        if (!name.equals(young.map(Credentials::user))) {
            born("user", old, young);
        } else {
            int known = keys.size();
            born("group", old.map(Credentials::gid), young.map(Credentials::gid));
            born("supplementary_groups", old.map(Credentials::groups), young.map(Credentials::groups));
            if (keys.size() == known) {
                // The same name means somebody else, or another home, in the user database.
                born("user", old, young);
            }
        }
        born("rlimits", before.limits(), after.limits());
        born("nice", before.nice(), after.nice());
        born("oom_score_adj", before.oomScoreAdj(), after.oomScoreAdj());
        born("no_new_privs", before.noNewPrivs(), after.noNewPrivs());
        born("resources", before.resources(), after.resources());
    }

    /** A child is told of its file when it is born, so whether there is a heartbeat at all belongs to the file. */
    private void compare(Optional<Heartbeat> before, Optional<Heartbeat> after) {
        born("heartbeat.file", before.map(Heartbeat::file), after.map(Heartbeat::file));
        if (before.isPresent() && after.isPresent()) {
            held("heartbeat.timeout", before.get().timeout(), after.get().timeout());
            held("heartbeat.grace", before.get().grace(), after.get().grace());
        }
    }

    /** A child is told of its notify socket when it is born; which of two keys is why makes no difference to it. */
    private static boolean isToldAnew(ServiceSpec before, ServiceSpec after) {
        return before.isHeard() != after.isHeard();
    }

    private void compareHealth(ServiceSpec before, ServiceSpec after) {
        HealthSpec old = before.health();
        HealthSpec young = after.health();
        if (old == young) {
            return;
        }
        born("watchdog_timeout", old.watchdogTimeout(), young.watchdogTimeout());
        held("checks", old.checks(), young.checks());
    }

    private void compare(StopSequence before, StopSequence after) {
        held("stop_signal", before.signal(), after.signal());
        held("stop_timeout", before.timeout(), after.timeout());
        held("dump_signal", before.dumpSignal(), after.dumpSignal());
        held("kill_mode", before.killMode(), after.killMode());
    }

    private void compare(Hooks before, Hooks after) {
        for (HookKind kind : HookKind.values()) {
            held(kind.word(), before.of(kind), after.of(kind));
        }
    }

    /** A service writes into the same FIFO wherever that leads; only the kind of output is what it was born with. */
    private void compare(LogSpec before, LogSpec after) {
        if (!(before instanceof LogSpec.ToFile old) || !(after instanceof LogSpec.ToFile young)) {
            born("log", before, after);
            return;
        }
        held("log.file", old.file(), young.file());
        born("log.stderr", kind(old.stderr()), kind(young.stderr()));
        held("log.max_size", old.maxSize(), young.maxSize());
        held("log.max_files", old.maxFiles(), young.maxFiles());
        held("log.compress", old.compress(), young.compress());
        held("log.timestamps", old.timestamps(), young.timestamps());
        held("log.console", old.console(), young.console());
        held("log.pipe_size", old.pipeSize(), young.pipeSize());
    }

    private static Class<?> kind(LogSpec.Stderr stderr) {
        return stderr.getClass();
    }

    private void born(String name, Object before, Object after) {
        add(name, before, after, true);
    }

    private void held(String name, Object before, Object after) {
        add(name, before, after, false);
    }

    private void add(String name, Object before, Object after, boolean restart) {
        if (!Objects.equals(before, after)) {
            keys.add(new Key(name, restart));
        }
    }
}
