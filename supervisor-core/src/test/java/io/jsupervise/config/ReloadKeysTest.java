package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SpecKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a reload does with each key of a service: the code, the fingerprint that the journal keeps and the table in
 * docs/configuration.md say the same, and no key is left out.
 */
@Timeout(30)
class ReloadKeysTest {
    /** Key, a services file of before and one of after in which just this key has another value. */
    private static final String[][] ROWS = {
        {"command", "command: [/bin/base]", "command: [/bin/other]"},
        {"shell", "command: /bin/base", "command: /bin/base\nshell: true"},
        {"description", "", "description: x"},
        {"type", "restart: never", "restart: never\ntype: oneshot"},
        {"autostart", "", "autostart: false"},
        {"working_dir", "", "working_dir: /tmp"},
        {"environment", "", "environment: {A: b}"},
        {"env_file", "", "env_file: vars.env"},
        {"inherit_env", "", "inherit_env: false"},
        {"umask", "", "umask: \"077\""},
        {"depends_on", "", "depends_on: [db]"},
        {"user", "", "user: www-data"},
        {"group", "user: www-data", "user: www-data\ngroup: \"4\""},
        {"supplementary_groups", "user: www-data", "user: www-data\nsupplementary_groups: [\"4\"]"},
        {"rlimits", "", "rlimits: {nofile: 100}"},
        {"nice", "", "nice: 5"},
        {"oom_score_adj", "", "oom_score_adj: 5"},
        {"no_new_privs", "", "no_new_privs: true"},
        {"start_jitter", "", "start_jitter: 1s"},
        {"ready", "", "ready: {delay: 3s}"},
        {"start_timeout", "", "start_timeout: 3s"},
        {"restart", "", "restart: never"},
        {"success_exit_codes", "", "success_exit_codes: [3]"},
        {"give_up_exit_codes", "", "give_up_exit_codes: [3]"},
        {"backoff", "", "backoff: {initial: 3s}"},
        {"resources", "resources: {pids_max: 3}", "resources: {pids_max: 4}"},
        {"start_limit", "", "start_limit: {count: 3}"},
        {"critical", "start_limit: {count: 3}", "start_limit: {count: 3}\ncritical: true"},
        {"heartbeat.timeout", "heartbeat: {timeout: 1s, grace: 9s}", "heartbeat: {timeout: 2s, grace: 9s}"},
        {"heartbeat.file", "heartbeat: {timeout: 1s, file: /run/a}", "heartbeat: {timeout: 1s, file: /run/b}"},
        {"heartbeat.grace", "heartbeat: {timeout: 1s, grace: 9s}", "heartbeat: {timeout: 1s, grace: 8s}"},
        {"verify", "", "verify: {stable_for: 3s}"},
        {
            "escalate",
            "start_limit: {count: 1}\nescalate: [reboot]",
            "start_limit: {count: 1}\nescalate: [{run: {command: fix, timeout: 3s}}, reboot]"
        },
        {"watchdog_timeout", "", "watchdog_timeout: 3s"},
        {"checks", "", "checks: {web: {tcp: \"127.0.0.1:80\"}}"},
        {"stop_signal", "", "stop_signal: INT"},
        {"stop_timeout", "", "stop_timeout: 3s"},
        {"dump_signal", "", "dump_signal: QUIT"},
        {"kill_mode", "", "kill_mode: process"},
        {"stop_command", "", "stop_command: quit"},
        {"pre_start", "", "pre_start: prepare"},
        {"post_start", "", "post_start: warm-up"},
        {"post_stop", "post_stop: cleanup", "post_stop: {command: cleanup, timeout: 3s}"},
        {"on_failure", "", "on_failure: tell"},
        {"on_give_up", "on_give_up: page", "on_give_up: page them"},
        {"on_recovered", "on_recovered: {command: tell}", "on_recovered: {command: tell, timeout: 3s}"},
        {"log.file", "", "log: {file: /tmp/x.log}"},
        {"log.stderr", "", "log: {stderr: file}"},
        {"log.max_size", "", "log: {max_size: 20MiB}"},
        {"log.max_files", "", "log: {max_files: 9}"},
        {"log.compress", "", "log: {compress: true}"},
        {"log.timestamps", "", "log: {timestamps: true}"},
        {"log.console", "", "log: {console: true}"},
        {"log.pipe_size", "", "log: {pipe_size: 64KiB}"},
    };

    /** Keys that say the same as another one. */
    private static final Map<String, String> ALIASES = Map.of("shell", "command", "env_file", "environment");

    private static ServiceSpec read(String keys) throws ConfigException {
        StringBuilder text = new StringBuilder("services:\n  db: {command: /bin/db}\n  web:\n");
        String all = ("\n" + keys).contains("\ncommand:") ? keys : "command: [/bin/base]\n" + keys;
        for (String line : all.split("\n")) {
            text.append("    ").append(line).append('\n');
        }
        MemoryFiles files = MemoryFiles.of(text.toString()).with("vars.env", "A=b\n");
        return ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(0), new KnownMachine(0))
                .services()
                .get(1);
    }

    @Test
    void each_key_differs_alone_and_the_fingerprint_knows_those_that_need_another_process() throws Exception {
        for (String[] row : ROWS) {
            ServiceSpec before = read(row[1]);
            ServiceSpec after = read(row[2]);
            assertNotEquals(before, after, row[0] + " means nothing to a spec");
            List<SpecKeys.Key> keys = SpecKeys.differing(before, after);
            assertEquals(ALIASES.getOrDefault(row[0], row[0]), names(keys), row[0]);
            boolean another = !Fingerprint.of(before).equals(Fingerprint.of(after));
            assertEquals(another, keys.get(0).restart(), row[0] + ": the fingerprint says something else");
            assertEquals(List.of(), SpecKeys.differing(before, read(row[1])), row[0]);
        }
    }

    private static String names(List<SpecKeys.Key> keys) {
        List<String> names = new ArrayList<>();
        keys.forEach(key -> names.add(key.name()));
        return String.join(" ", names);
    }

    @Test
    void no_key_is_left_out() {
        Set<String> known = new TreeSet<>();
        for (String[] row : ROWS) {
            known.add(row[0]);
        }
        Set<String> keys = new TreeSet<>(Keys.SERVICE);
        keys.removeAll(List.of("heartbeat", "log"));
        Keys.HEARTBEAT.forEach(key -> keys.add("heartbeat." + key));
        Keys.LOG.forEach(key -> keys.add("log." + key));
        assertEquals(keys, known);
    }

    @Test
    void a_heartbeat_or_another_kind_of_log_needs_another_process() throws Exception {
        ServiceSpec plain = read("");
        for (String[] row : new String[][] {
            {"heartbeat: {timeout: 1s}", "heartbeat.file"}, {"log: none", "log"}, {"log: inherit", "log"}
        }) {
            ServiceSpec other = read(row[0]);
            assertEquals(row[1], names(SpecKeys.differing(plain, other)));
            assertEquals(row[1], names(SpecKeys.differing(other, plain)));
            assertNotEquals(Fingerprint.of(plain), Fingerprint.of(other));
        }
    }

    /** The table has each key in exactly one row, which says what the code does. */
    @Test
    void the_page_says_what_the_code_does() throws Exception {
        Map<String, String> told = new TreeMap<>();
        for (String line : page()) {
            String[] cells = line.split("\\|");
            String what = cells[1].strip();
            for (String key : cells[2].split(",")) {
                String name = key.strip().replace("`", "");
                assertFalse(told.containsKey(name), name + " is there twice");
                told.put(name, what);
            }
        }
        Map<String, String> done = new TreeMap<>();
        for (String[] row : ROWS) {
            boolean restart =
                    SpecKeys.differing(read(row[1]), read(row[2])).get(0).restart();
            done.put(row[0], restart ? "restart" : "in place");
        }
        assertEquals(done, told);
    }

    private static List<String> page() throws IOException {
        List<String> rows = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(Path.of("../docs/configuration.md"))) {
            inside = inside ? !line.startsWith("## ") : line.equals("## What a reload does");
            if (inside && line.contains(" | `")) {
                rows.add(line);
            }
        }
        return rows;
    }
}
