package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What several maps and several files come to: defaults, includes, the places of paths, and the supervisor's own part. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class FilesTogetherTest {
    // ---- defaults ----

    @Test
    void defaults_merge_map_by_map_and_lists_replace() throws ConfigException {
        ServiceSpec web = only(
                """
                defaults:
                  restart: never
                  success_exit_codes: [0, 1]
                  environment: {A: default, B: default}
                  backoff: {initial: 1s, max: 1m}
                  log: {max_size: 1MiB, console: true}
                services:
                  web:
                    command: run
                    success_exit_codes: [2]
                    environment: {B: own, C: own}
                    backoff: {max: 2m}
                    log: {console: false}
                """);
        assertEquals(RestartPolicy.NEVER, web.restart());
        assertEquals(java.util.Set.of(2), web.successExitCodes());
        assertEquals(Map.of("A", "default", "B", "own", "C", "own"), web.spawn().environment());
        assertEquals(Duration.ofSeconds(1), web.backoff().initial());
        assertEquals(Duration.ofMinutes(2), web.backoff().max());
        LogSpec.ToFile log = (LogSpec.ToFile) web.log();
        assertEquals(1 << 20, log.maxSize());
        assertEquals(false, log.console());
    }

    @Test
    void a_map_replaces_a_word_and_a_word_a_map() throws ConfigException {
        assertEquals(
                new LogSpec.None(),
                only("defaults: {log: {max_size: 1MiB}}\nservices: {web: {command: run, log: none}}")
                        .log());
        assertEquals(
                LogSpec.ToFile.of(Path.of("/app/w.log")),
                only("defaults: {log: none}\nservices: {web: {command: run, log: {file: w.log}}}")
                        .log());
    }

    @Test
    void an_empty_value_takes_a_default_away() throws ConfigException {
        ServiceSpec web = only("defaults: {heartbeat: {timeout: 1s}, start_limit: {count: 1}, umask: 077}\n"
                + "services: {web: {command: run, heartbeat: , start_limit: ~, umask: null}}");
        assertEquals(Optional.empty(), web.heartbeat());
        assertEquals(Optional.empty(), web.startLimit());
        assertEquals(022, web.spawn().umask());
    }

    @Test
    void a_oneshot_has_no_use_for_defaults_that_are_meant_for_services() throws ConfigException {
        ServiceSpec once = only(
                """
                defaults: {ready: {delay: 3s}, restart: always, post_start: warm-up, stop_timeout: 3s}
                services: {once: {command: run, type: oneshot}}
                """);
        assertEquals(RestartPolicy.NEVER, once.restart());
        assertEquals(Optional.empty(), once.hooks().of(HookKind.POST_START));
        assertEquals(Duration.ofSeconds(3), once.stop().timeout());
        assertEquals(
                RestartPolicy.ON_FAILURE,
                only("defaults: {restart: on-failure, type: oneshot}\nservices: {once: {command: run}}")
                        .restart());
    }

    @Test
    void part_of_a_map_may_stand_in_the_defaults() throws ConfigException {
        ServiceSpec web = only(
                "defaults: {heartbeat: {grace: 7s}}\n" + "services: {web: {command: run, heartbeat: {timeout: 30s}}}");
        assertEquals(Duration.ofSeconds(7), web.heartbeat().orElseThrow().grace());
    }

    @Test
    void a_command_for_all_may_stand_in_the_defaults() throws ConfigException {
        Configuration read =
                read(MemoryFiles.of("defaults: {command: [run, it]}\nservices:\n  a:\n  b: {umask: 077}\n"));
        assertEquals(
                List.of("run", "it"), read.services().get(0).spawn().command().argv());
        assertEquals(
                List.of("run", "it"), read.services().get(1).spawn().command().argv());
    }

    // ---- include ----

    @Test
    void included_files_are_read_in_the_order_of_their_names_after_the_file_itself() throws ConfigException {
        MemoryFiles files = MemoryFiles.of(
                        "include: [more.yml, 'conf.d/*.yml', none.d/*.yml]\nservices:\n  own: {command: run}\n")
                .with("conf.d/b.yml", "services: {b2: {command: run}, b1: {command: run}}")
                .with("conf.d/a.yml", "services: {a: {command: run}}")
                .with("conf.d/a.yaml", "not: read")
                .with("more.yml", "include: sub/deep.yml\nservices: {more: {command: run}}")
                .with("sub/deep.yml", "services: {deep: {command: run}}");
        assertEquals(List.of("own", "more", "deep", "a", "b2", "b1"), names(read(files)));
    }

    @Test
    void a_main_file_may_hold_nothing_but_includes() throws ConfigException {
        assertEquals(
                List.of("a"),
                names(read(MemoryFiles.of("include: /app/a.yml").with("a.yml", "services: {a: {command: run}}"))));
    }

    @Test
    void defaults_hold_downwards_and_never_sideways() throws ConfigException {
        MemoryFiles files = MemoryFiles.of(
                        "defaults: {umask: 001, restart: never}\ninclude: [a.yml, b.yml]\nservices: {top: {command: run}}")
                .with("a.yml", "defaults: {umask: 002}\ninclude: sub/c.yml\nservices: {a: {command: run}}")
                .with("sub/c.yml", "services: {c: {command: run}}")
                .with("b.yml", "services: {b: {command: run}}");
        List<String> umasks = new ArrayList<>();
        for (ServiceSpec spec : read(files).services()) {
            umasks.add(spec.name() + " " + spec.spawn().umask() + " " + spec.restart());
        }
        assertEquals(List.of("top 1 NEVER", "a 2 NEVER", "c 2 NEVER", "b 1 NEVER"), umasks);
    }

    @Test
    void a_path_is_relative_to_the_file_in_which_it_stands() throws ConfigException {
        MemoryFiles files = MemoryFiles.of("defaults: {env_file: all.env, log: {file: all.log}}\ninclude: sub/a.yml\n")
                .with("all.env", "A=all")
                .with(
                        "sub/a.yml",
                        "services:\n  a: {command: run, heartbeat: {timeout: 1s, file: beat}}\n"
                                + "  b: {command: run, working_dir: w, env_file: own.env, log: {file: own.log}}\n")
                .with("sub/own.env", "A=own");
        List<ServiceSpec> services = read(files).services();
        ServiceSpec a = services.get(0);
        assertEquals(Path.of("/app/sub"), a.spawn().workingDir());
        assertEquals(Map.of("A", "all"), a.spawn().environment());
        assertEquals(Path.of("/app/all.log"), ((LogSpec.ToFile) a.log()).file());
        assertEquals(Path.of("/app/sub/beat"), a.heartbeat().orElseThrow().file());
        ServiceSpec b = services.get(1);
        assertEquals(Path.of("/app/sub/w"), b.spawn().workingDir());
        assertEquals(Map.of("A", "own"), b.spawn().environment());
        assertEquals(Path.of("/app/sub/own.log"), ((LogSpec.ToFile) b.log()).file());
    }

    // ---- the supervisor ----

    @Test
    void directories_are_those_of_root_or_of_the_user() throws ConfigException {
        assertEquals(List.of("/var/lib/jsupervise", "/run/jsupervise"), directories("", MemoryFiles.surroundings(0)));
        assertEquals(
                List.of("/home/ann/.local/state/jsupervise", "/tmp/jsupervise-1000"),
                directories("", MemoryFiles.surroundings(1000)));
        assertEquals(
                List.of("/xdg/state/jsupervise", "/run/user/1000/jsupervise"),
                directories("", around(Map.of("XDG_STATE_HOME", "/xdg/state", "XDG_RUNTIME_DIR", "/run/user/1000"))));
        assertEquals(
                List.of("/home/ann/.local/state/jsupervise", "/tmp/jsupervise-1000"),
                directories("", around(Map.of("XDG_STATE_HOME", "state", "XDG_RUNTIME_DIR", ""))));
        assertEquals(
                List.of("/app/s", "/r"), directories("state_dir: s, runtime_dir: /r", MemoryFiles.surroundings(0)));
    }

    @Test
    void another_name_has_directories_of_its_own() throws ConfigException {
        assertEquals(
                List.of("/var/lib/jsupervise/shop", "/run/jsupervise/shop"),
                directories("name: shop", MemoryFiles.surroundings(0)));
        assertEquals(
                List.of("/app/s/shop", "/r/shop"),
                directories("name: shop, state_dir: s, runtime_dir: /r", MemoryFiles.surroundings(0)));
    }

    @Test
    void the_command_line_beats_the_file() throws ConfigException {
        Surroundings around = new Surroundings(
                0, Path.of("/root"), Map.of(), Optional.of(Path.of("/cli/s")), Optional.of(Path.of("/cli/r")));
        assertEquals(List.of("/cli/s", "/cli/r"), directories("state_dir: s, runtime_dir: r", around));
    }

    private static Surroundings around(Map<String, String> environment) {
        return new Surroundings(1000, Path.of("/home/ann"), environment, Optional.empty(), Optional.empty());
    }

    private static List<String> directories(String keys, Surroundings around) throws ConfigException {
        SupervisorSpec spec = supervisor(keys, around);
        return List.of(spec.stateDir().toString(), spec.runtimeDir().toString());
    }

    @Test
    void the_supervisor_has_its_defaults() throws ConfigException {
        assertEquals(
                new SupervisorSpec(
                        "default",
                        Path.of("/var/lib/jsupervise"),
                        Path.of("/run/jsupervise"),
                        Path.of("/run/jsupervise/control.sock"),
                        Optional.empty(),
                        0,
                        Path.of("/run/jsupervise/heartbeat"),
                        Duration.ofSeconds(5)),
                supervisor("", MemoryFiles.surroundings(0)));
    }

    @Test
    void the_supervisor_takes_what_it_is_told() throws ConfigException {
        assertEquals(
                new SupervisorSpec(
                        "no",
                        Path.of("/s/no"),
                        Path.of("/r/no"),
                        Path.of("/r/no/sub/c.sock"),
                        Optional.of("adm"),
                        4,
                        Path.of("/beat"),
                        Duration.ofMillis(250)),
                supervisor(
                        "name: no, state_dir: /s, runtime_dir: /r, socket: sub/c.sock, socket_group: adm,"
                                + " max_parallel_starts: 4, heartbeat: {file: /beat, interval: 250ms}",
                        MemoryFiles.surroundings(0)));
    }

    private static SupervisorSpec supervisor(String keys, Surroundings around) throws ConfigException {
        String text = "supervisor: {" + keys + "}\nservices: {web: {command: run}}";
        return ConfigReader.read(MemoryFiles.MAIN, MemoryFiles.of(text), around, new KnownMachine(1000))
                .supervisor();
    }

    private static List<String> names(Configuration configuration) {
        List<String> names = new ArrayList<>();
        for (ServiceSpec spec : configuration.services()) {
            names.add(spec.name().value());
        }
        return names;
    }

    private static ServiceSpec only(String text) throws ConfigException {
        return read(MemoryFiles.of(text)).services().get(0);
    }

    private static Configuration read(MemoryFiles files) throws ConfigException {
        return ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(1000), new KnownMachine(1000));
    }
}
