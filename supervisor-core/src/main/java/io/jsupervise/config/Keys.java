package io.jsupervise.config;

import java.util.List;

/** The keys of services.yml. docs/configuration.md describes each; a test compares them. */
final class Keys {
    static final List<String> TOP = List.of("supervisor", "defaults", "include", "groups", "services");

    /** Of an included file: there is one supervisor. */
    static final List<String> INCLUDED = List.of("defaults", "include", "groups", "services");

    static final List<String> SUPERVISOR = List.of(
            "name",
            "state_dir",
            "runtime_dir",
            "socket",
            "socket_group",
            "max_parallel_starts",
            "heartbeat",
            "watchdog");

    static final List<String> WATCHDOG = List.of("device", "timeout", "interval", "pretimeout", "reboot_limit");
    static final List<String> REBOOT_LIMIT = List.of("count", "within");

    static final List<String> SUPERVISOR_HEARTBEAT = List.of("file", "interval");

    static final List<String> SERVICE = List.of(
            "command",
            "shell",
            "description",
            "type",
            "autostart",
            "working_dir",
            "environment",
            "env_file",
            "inherit_env",
            "umask",
            "depends_on",
            "user",
            "group",
            "supplementary_groups",
            "rlimits",
            "nice",
            "oom_score_adj",
            "no_new_privs",
            "resources",
            "start_jitter",
            "ready",
            "start_timeout",
            "restart",
            "success_exit_codes",
            "give_up_exit_codes",
            "backoff",
            "start_limit",
            "verify",
            "escalate",
            "critical",
            "heartbeat",
            "watchdog_timeout",
            "checks",
            "stop_signal",
            "stop_timeout",
            "stop_command",
            "dump_signal",
            "kill_mode",
            "pre_start",
            "post_start",
            "post_stop",
            "on_failure",
            "on_give_up",
            "on_recovered",
            "log");

    static final List<String> DEPENDENCY = List.of("condition", "restart");
    static final List<String> GROUP = List.of("strategy", "services");
    static final List<String> RLIMIT = List.of("soft", "hard");
    static final List<String> RESOURCES = List.of("memory_max", "cpu_max", "pids_max", "optional");
    static final List<String> HOOK = List.of("command", "timeout");
    static final List<String> READY =
            List.of("delay", "heartbeat", "notify", "tcp", "http", "exec", "file", "log_line");
    static final List<String> CHECK = List.of("http", "tcp", "exec", "interval", "timeout", "retries", "start_period");
    static final List<String> BACKOFF = List.of("initial", "factor", "max", "jitter", "reset_after");
    static final List<String> VERIFY = List.of("stable_for");
    static final List<String> START_LIMIT = List.of("count", "within");
    static final List<String> HEARTBEAT = List.of("timeout", "file", "grace");
    static final List<String> LOG =
            List.of("file", "stderr", "max_size", "max_files", "compress", "timestamps", "console", "pipe_size");

    private Keys() {}
}
