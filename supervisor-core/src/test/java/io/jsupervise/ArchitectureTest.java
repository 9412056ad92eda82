package io.jsupervise;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.SupervisorEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * The house as ARCHITECTURE.md draws it, held true: which package may know which, that the pure ones are pure, and that nothing hides state
 * in statics. The table {@link #MAY_KNOW} is the floor plan; a new package needs a row there and a paragraph in ARCHITECTURE.md.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ArchitectureTest {
    private static final String OURS = "io.jsupervise";

    /** Package -> packages of ours that it may know. */
    private static final Map<String, Set<String>> MAY_KNOW = Map.ofEntries(
            Map.entry("spec", Set.of()),
            Map.entry("lifecycle", Set.of("spec")),
            Map.entry("supervision", Set.of("spec", "lifecycle", "text")),
            Map.entry("text", Set.of()),
            Map.entry("config", Set.of("spec", "text")),
            Map.entry("json", Set.of("text")),
            Map.entry("journal", Set.of("spec", "lifecycle", "supervision", "json", "text")),
            Map.entry("control", Set.of("spec", "lifecycle", "supervision", "json", "text")),
            Map.entry("os", Set.of("spec", "lifecycle")),
            Map.entry("os.linux", Set.of("spec", "lifecycle", "os")),
            Map.entry("io", Set.of("spec", "lifecycle", "supervision", "config", "journal", "control", "os", "text")),
            Map.entry(
                    "daemon",
                    Set.of("spec", "lifecycle", "supervision", "config", "journal", "control", "os", "io", "text")));

    private static final String[] PURE =
            packages("spec", "lifecycle", "supervision", "text", "config", "json", "journal", "control");

    /** Library -> the only packages of ours that may know it. The JDK is everybody's. */
    private static final Map<String, String[]> LIBRARIES = Map.of(
            "jnr..", packages("os.linux"),
            "com.kenai..", packages("os.linux"),
            "org.yaml..", packages("config"),
            "com.fasterxml.jackson..", packages("json", "journal", "control"),
            "org.apache.hc..", packages("io"),
            "org.slf4j..", packages("io", "daemon"));

    /** What of java.io and java.nio touches memory only. */
    private static final Set<String> IN_MEMORY = Set.of(
            "java.io.IOException",
            "java.io.UncheckedIOException",
            "java.io.Serializable",
            "java.io.Closeable",
            "java.io.Reader",
            "java.io.Writer",
            "java.io.StringReader",
            "java.io.StringWriter",
            "java.io.InputStream",
            "java.io.OutputStream",
            "java.io.ByteArrayInputStream",
            "java.io.ByteArrayOutputStream",
            "java.nio.file.Path",
            "java.nio.file.InvalidPathException",
            "java.nio.file.NoSuchFileException",
            "java.nio.file.AccessDeniedException",
            "java.nio.ByteBuffer",
            "java.nio.CharBuffer");

    private static final Set<String> CLOCKS_AND_CHANCE = Set.of(
            "java.lang.Thread",
            "java.lang.ThreadLocal",
            "java.lang.Process",
            "java.lang.ProcessBuilder",
            "java.lang.ProcessHandle",
            "java.lang.Runtime",
            "java.time.Clock",
            "java.util.Random",
            "java.util.SplittableRandom",
            "java.util.Timer",
            "java.util.UUID");

    private static final Set<String> IMPURE_CALLS = Set.of(
            "java.lang.System.nanoTime",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.getenv",
            "java.lang.System.getProperty",
            "java.lang.System.exit",
            "java.lang.Math.random",
            "java.time.Instant.now",
            "java.time.LocalDate.now",
            "java.time.LocalDateTime.now",
            "java.time.OffsetDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.time.ZoneId.systemDefault",
            "java.nio.file.Path.toRealPath",
            "java.nio.file.Path.toAbsolutePath",
            "java.nio.file.Path.toFile");

    private JavaClasses main;

    @BeforeAll
    void read_the_classes() {
        main = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages(OURS);
        assertTrue(main.size() > 50, "only " + main.size() + " classes were read");
    }

    @Test
    void every_package_has_its_row_in_the_floor_plan() {
        Set<String> unknown = new TreeSet<>();
        for (JavaClass type : main) {
            unknown.add(type.getPackageName());
        }
        MAY_KNOW.keySet().forEach(name -> unknown.remove(OURS + "." + name));
        assertEquals(Set.of(), unknown, "packages without a row in MAY_KNOW");
    }

    @Test
    void a_package_knows_only_the_packages_below_it() {
        MAY_KNOW.forEach((name, known) -> {
            List<String> others = new ArrayList<>(MAY_KNOW.keySet());
            others.remove(name);
            others.removeAll(known);
            noClasses()
                    .that()
                    .resideInAPackage(OURS + "." + name)
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(packages(others.toArray(new String[0]))))
                    .allowEmptyShould(true)
                    .check(main);
        });
    }

    @Test
    void the_packages_form_no_circle() {
        slices().matching(OURS + ".(**)").should().beFreeOfCycles().check(main);
    }

    @Test
    void a_library_is_known_in_its_room_only() {
        LIBRARIES.forEach((library, rooms) -> noClasses()
                .that()
                .resideOutsideOfPackages(rooms)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(main));
    }

    @Test
    void no_library_is_used_that_the_table_does_not_name() {
        List<String> known = new ArrayList<>(LIBRARIES.keySet());
        known.add(OURS + "..");
        known.add("java..");
        known.add("sun.misc..");
        known.add("");
        classes()
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(known.toArray(new String[0])))
                .check(main);
    }

    @Test
    void pure_packages_touch_no_file_clock_thread_or_chance() {
        noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .dependOnClassesThat(describe("do I/O, tell the time, run beside or roll dice", type -> impure(type)))
                .orShould()
                .callMethodWhere(describe("is impure", call -> {
                    String owner = call.getTargetOwner().getName();
                    return IMPURE_CALLS.contains(owner + "." + call.getName());
                }))
                .check(main);
    }

    private static boolean impure(JavaClass type) {
        String name = type.getName();
        if (CLOCKS_AND_CHANCE.contains(name)) {
            return true;
        }
        if (name.startsWith("java.nio.charset.") || IN_MEMORY.contains(name)) {
            return false;
        }
        return name.startsWith("java.io.")
                || name.startsWith("java.nio.")
                || name.startsWith("java.net.")
                || name.startsWith("java.util.concurrent.")
                || name.startsWith("java.util.random.")
                || name.startsWith("java.security.")
                || name.startsWith("sun.");
    }

    @Test
    void threads_are_made_in_daemon_only() {
        noClasses()
                .that()
                .resideOutsideOfPackage(OURS + ".daemon")
                .should()
                .callConstructorWhere(
                        describe("makes a thread", call -> call.getTargetOwner().isAssignableTo(Thread.class)))
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.Executors")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.CompletableFuture")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.Timer")
                .check(main);
    }

    @Test
    void children_are_spawned_by_our_own_binding_only() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.ProcessBuilder")
                .orShould()
                .callMethod(Runtime.class, "exec", String.class)
                .orShould()
                .callMethod(Runtime.class, "exec", String[].class)
                .check(main);
    }

    @Test
    void the_library_prints_nothing_and_ends_no_jvm() {
        noClasses()
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("java.util.logging..")
                .check(main);
    }

    @Test
    void statics_hold_constants_only() {
        fields().that().areStatic().should(holdAConstant()).check(main);
    }

    /** Final, of a type that cannot change; a collection is looked at, because its type does not tell. */
    private static ArchCondition<JavaField> holdAConstant() {
        return new ArchCondition<>("hold a constant") {
            @Override
            public void check(JavaField field, ConditionEvents events) {
                if (field.getModifiers().contains(JavaModifier.SYNTHETIC)) {
                    return;
                }
                String why = whyMutable(field);
                if (!why.isEmpty()) {
                    events.add(SimpleConditionEvent.violated(field, field.getFullName() + " " + why));
                }
            }
        };
    }

    private static String whyMutable(JavaField field) {
        if (!field.getModifiers().contains(JavaModifier.FINAL)) {
            return "is not final";
        }
        JavaClass type = field.getRawType();
        if (type.isArray()) {
            // A table that one class looks things up in; shared, anyone could write into it.
            boolean shared = !field.getModifiers().contains(JavaModifier.PRIVATE);
            return shared ? "is an array that others can write into" : "";
        }
        if (type.getName().startsWith("java.util.concurrent.atomic.")
                || type.isAssignableTo(StringBuilder.class)
                || type.isAssignableTo(ThreadLocal.class)) {
            return "is of a type that is made to change";
        }
        if (type.isAssignableTo(Iterable.class) && !type.isAssignableTo(java.nio.file.Path.class)
                || type.isAssignableTo(Map.class)) {
            String actual = valueOf(field).getClass().getName();
            boolean fixed = actual.startsWith("java.util.ImmutableCollections$")
                    || actual.startsWith("java.util.Collections$Unmodifiable");
            return fixed ? "" : "is a " + actual + ", which can change";
        }
        return "";
    }

    private static Object valueOf(JavaField field) {
        try {
            java.lang.reflect.Field reflected = field.reflect();
            reflected.setAccessible(true);
            return reflected.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void events_and_effects_are_records() {
        for (Class<?> kind : List.of(Event.class, SupervisorEvent.class, Effect.class, Order.class)) {
            DescribedPredicate<JavaClass> ofTheKind = assignableTo(kind);
            classes()
                    .that(ofTheKind)
                    .and()
                    .areNotInterfaces()
                    .and()
                    .areNotEnums()
                    .should()
                    .beRecords()
                    .check(main);
        }
    }

    private static String[] packages(String... names) {
        String[] packages = new String[names.length];
        for (int i = 0; i < names.length; i++) {
            packages[i] = OURS + "." + names[i];
        }
        return packages;
    }
}
