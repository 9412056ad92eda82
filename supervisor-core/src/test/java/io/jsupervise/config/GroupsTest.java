package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SpecKeys;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is restarted with whom, as the services file says it. */
@Timeout(30)
class GroupsTest {
    private static List<ServiceSpec> read(MemoryFiles files) throws ConfigException {
        return ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(0), new KnownMachine(0))
                .services();
    }

    private static List<ServiceSpec> read(String text) throws ConfigException {
        return read(MemoryFiles.of(text));
    }

    private static String groups(List<ServiceSpec> specs) {
        List<String> words = new ArrayList<>();
        for (ServiceSpec spec : specs) {
            words.add(spec.name()
                    + spec.group()
                            .map(group ->
                                    ":" + group.name() + " " + group.strategy().word())
                            .orElse(""));
        }
        return String.join(", ", words);
    }

    @Test
    void members_name_their_group_or_are_named_by_it() throws Exception {
        assertEquals(
                "db:shop rest_for_one, web:shop rest_for_one, mail:post one_for_one, lone",
                groups(read("groups:\n  shop: {strategy: rest_for_one, services: [web]}\n  post:\n"
                        + "services:\n  db: {command: x, group: shop}\n  web: {command: x}\n"
                        + "  mail: {command: x, group: post}\n  lone: {command: x}\n")));
    }

    @Test
    void groups_and_defaults_of_included_files_count_too() throws Exception {
        MemoryFiles files = MemoryFiles.of("include: more.yml\ndefaults: {group: all}\nservices:\n  db: {command: x}\n")
                .with("more.yml", "groups: {all: {strategy: one_for_all}}\nservices:\n  web: {command: x}\n");
        assertEquals("db:all one_for_all, web:all one_for_all", groups(read(files)));
    }

    @Test
    void any_other_group_is_one_of_users_and_a_member_may_have_both() throws Exception {
        ServiceSpec web = read("groups: {all: {services: web}}\nservices:\n  web: {command: x, group: \"4\"}\n")
                .get(0);
        assertEquals("all", web.group().orElseThrow().name());
        assertEquals(
                4, web.spawn().privileges().credentials().map(Credentials::gid).orElseThrow());
        ServiceSpec ours = read("groups: {all: {}}\nservices:\n  web: {command: x, group: all, user: www-data}\n")
                .get(0);
        assertEquals("all", ours.group().orElseThrow().name());
        assertEquals(
                33,
                ours.spawn().privileges().credentials().map(Credentials::gid).orElseThrow());
    }

    @Test
    void a_dependency_may_restart_those_that_depend_on_it() throws Exception {
        List<Dependency> needs = read("services:\n  db: {command: x}\n  cache: {command: x}\n  web:\n    command: x\n"
                        + "    depends_on:\n      db: {restart: true}\n      cache: {condition: started}\n")
                .get(2)
                .dependsOn();
        assertEquals(
                "[true, false]",
                needs.stream().map(Dependency::restart).toList().toString());
        assertEquals(Dependency.Condition.READY, needs.get(0).condition());
    }

    @Test
    void another_group_is_taken_over_in_place() throws Exception {
        String text = "groups: {all: {strategy: %s}}\nservices:\n  web: {command: x, group: all}\n";
        ServiceSpec before = read(String.format(text, "one_for_all")).get(0);
        ServiceSpec after = read(String.format(text, "rest_for_one")).get(0);
        assertEquals(List.of(new SpecKeys.Key("groups", false)), SpecKeys.differing(before, after));
        assertEquals(
                ServiceGroup.Strategy.REST_FOR_ONE, after.group().orElseThrow().strategy());
    }

    @Test
    void what_cannot_be_is_told_with_its_place_and_the_fix() {
        String[][] rows = {
            {
                "groups: {all: {strategy: one_for_al}}",
                "1:26: strategy \"one_for_al\" is unknown; did you mean \"one_for_all\"? It can be one_for_one, "
                        + "one_for_all or rest_for_one"
            },
            {
                "groups: {all: {strateg: one_for_all}}",
                "1:16: key \"strateg\" is unknown in groups; did you mean \"strategy\"?"
            },
            {
                "groups: {all: {services: [wbe]}}",
                "1:27: group \"all\" names \"wbe\", and there is no such service; did you mean \"web\"?"
            },
            {
                "groups: {a: {services: web}, b: {services: [web]}}",
                "1:45: service \"web\" is in two groups, \"a\" and \"b\"; remove one"
            },
            {"groups: {a: {services: [web, web]}}", "1:30: group \"a\" names \"web\" twice; remove one"},
            {"groups: {\"a b\": {}}", "1:10: group name \"a b\" is not valid; "},
            {
                "groups: {a: one_for_all}",
                "1:13: group \"a\" is \"one_for_all\"; write a map such as {strategy: one_for_all}"
            },
        };
        for (String[] row : rows) {
            ConfigException problems = assertThrows(
                    ConfigException.class, () -> read(row[0] + "\nservices:\n  web: {command: x}\n"), row[0]);
            String told = problems.problems().get(0).toString();
            assertTrue(told.startsWith(MemoryFiles.MAIN + ":" + row[1]), told);
            assertEquals(1, problems.problems().size(), row[0]);
        }
    }
}
