package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Account;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.text.Nearest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * As whom a service runs and within which limits: names to numbers, and whether this machine, and we on it, can give that.
 * It is asked now, so that nothing is started where something cannot be; what changes on the machine later is seen when the
 * file is read the next time.
 */
final class PrivilegesReader {
    private static final List<String> KEYS = List.of(
            "user", "group", "supplementary_groups", "rlimits", "nice", "oom_score_adj", "no_new_privs", "resources");
    private static final long MOST = Long.MAX_VALUE;

    private final Machine machine;

    /** Of all services; the same few are asked for again and again. */
    private final Map<String, Optional<Account>> accounts = new HashMap<>();

    PrivilegesReader(Machine machine) {
        this.machine = machine;
    }

    Privileges read(Section section) {
        boolean some = false;
        for (String key : KEYS) {
            some |= section.has(key);
        }
        if (!some) {
            return Privileges.NONE;
        }
        Privileges read = new Privileges(
                credentials(section),
                limits(section),
                nice(section),
                oomScoreAdj(section),
                section.bool("no_new_privs", false),
                new ResourcesReader(machine).read(section));
        needs(section, read);
        return read.areOurs() ? Privileges.NONE : read;
    }

    // ---- as whom ----

    private Optional<Credentials> credentials(Section section) {
        Optional<Text> user = section.text("user", "the name or number of a user");
        Optional<Text> group = section.text("group", "the name or number of a group");
        List<Text> more = section.texts("supplementary_groups", "a list of groups, by name or number");
        if (user.isEmpty() && group.isEmpty() && more.isEmpty()) {
            return Optional.empty();
        }
        Optional<Account> account = user.isEmpty() ? Optional.empty() : account(section, user.get(), group.isPresent());
        OptionalInt gid = OptionalInt.of(account.map(Account::gid).orElse(machine.gid()));
        if (group.isPresent()) {
            gid = gid(section, "group", group.get());
        }
        TreeSet<Integer> groups = new TreeSet<>(account.map(Account::groups).orElse(List.of()));
        for (Text one : more) {
            gid(section, "supplementary_groups", one).ifPresent(groups::add);
        }
        if (gid.isEmpty() || user.isPresent() && account.isEmpty()) {
            return Optional.empty();
        }
        boolean ours = account.isPresent()
                && account.get().uid() == machine.uid()
                && gid.getAsInt() == machine.gid()
                && more.isEmpty();
        if (!ours && !machine.maySwitchUser()) {
            forbidCredentials(section);
            return Optional.empty();
        }
        return Optional.of(new Credentials(
                account.map(Account::name).orElse(Integer.toUnsignedString(machine.uid())),
                account.map(Account::uid).orElse(machine.uid()),
                gid.getAsInt(),
                new ArrayList<>(groups),
                account.map(PrivilegesReader::environment).orElse(Map.of())));
    }

    private void forbidCredentials(Section section) {
        for (String key : List.of("user", "group", "supplementary_groups")) {
            if (section.has(key)) {
                section.forbidden(
                        section.placeOf(key),
                        key + " can be given to a service by root only, and we are uid "
                                + Integer.toUnsignedString(machine.uid()),
                        "run the supervisor as root, or remove the key");
            }
        }
    }

    private Optional<Account> account(Section section, Text user, boolean hasGroup) {
        String name = user.text();
        Optional<Account> known = accounts.get(name);
        if (known == null) {
            try {
                known = machine.user(name);
            } catch (IOException e) {
                section.problem(
                        user.place(),
                        "user " + Value.quoted(name) + " cannot be looked up: " + e.getMessage(),
                        "mend the user database, and see nsswitch.conf(5)");
                return Optional.empty();
            }
            accounts.put(name, known);
        }
        if (known.isPresent()) {
            return known;
        }
        Optional<Integer> number = number(name);
        if (number.isEmpty()) {
            section.problem(
                    user.place(),
                    "user " + Value.quoted(name) + " does not exist on this machine",
                    "make it with useradd, or name another");
        } else if (!hasGroup) {
            section.problem(
                    user.place(),
                    "user " + name + " is not in the user database, so nothing says which group it has",
                    "add group: as well");
        } else {
            return Optional.of(new Account(name, number.get(), 0, List.of(), "", ""));
        }
        return Optional.empty();
    }

    /** What login(1) would set. */
    private static Map<String, String> environment(Account account) {
        Map<String, String> variables = new TreeMap<>();
        variables.put("HOME", account.home().isEmpty() ? "/" : account.home());
        variables.put("USER", account.name());
        variables.put("LOGNAME", account.name());
        variables.put("SHELL", account.shell().isEmpty() ? "/bin/sh" : account.shell());
        return variables;
    }

    private OptionalInt gid(Section section, String key, Text group) {
        String name = group.text();
        Optional<Integer> number = number(name);
        if (number.isPresent()) {
            return OptionalInt.of(number.get());
        }
        try {
            OptionalInt gid = machine.group(name);
            if (gid.isEmpty()) {
                section.problem(
                        group.place(),
                        key + " names the group " + Value.quoted(name) + ", which does not exist on this machine"
                                + (key.equals("group") ? ", nor among the groups at the top of the file" : ""),
                        key.equals("group")
                                ? "to restart services together add groups: {" + name
                                        + ": {strategy: one_for_all}}; or make it with groupadd, or name another"
                                : "make it with groupadd, or name another");
            }
            return gid;
        } catch (IOException e) {
            section.problem(
                    group.place(),
                    "group " + Value.quoted(name) + " cannot be looked up: " + e.getMessage(),
                    "mend the group database, and see nsswitch.conf(5)");
            return OptionalInt.empty();
        }
    }

    /** Below 2^32 - 1, which means "none" to the kernel. */
    private static Optional<Integer> number(String text) {
        boolean digits = !text.isEmpty() && text.length() <= 10;
        for (int i = 0; i < text.length(); i++) {
            digits &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return digits && Long.parseLong(text) < 0xffffffffL
                ? Optional.of((int) Long.parseLong(text))
                : Optional.empty();
    }

    // ---- within which limits ----

    private List<ResourceLimit> limits(Section section) {
        List<ResourceLimit> limits = new ArrayList<>();
        Optional<Section> given = section.section("rlimits");
        if (given.isEmpty()) {
            return limits;
        }
        for (Map.Entry<String, Member> entry : given.get().members().entrySet()) {
            Optional<Limit> what = Limit.of(entry.getKey());
            if (what.isEmpty()) {
                unknownLimit(section, entry);
            } else if (given.get().has(entry.getKey())) {
                limit(given.get(), what.get(), entry.getValue().value()).ifPresent(limits::add);
            }
        }
        limits.sort((a, b) -> a.what().compareTo(b.what()));
        return limits;
    }

    private static void unknownLimit(Section section, Map.Entry<String, Member> entry) {
        List<String> known = new ArrayList<>();
        for (Limit limit : Limit.values()) {
            known.add(limit.word());
        }
        Optional<String> near = Nearest.of(entry.getKey(), known);
        section.problem(
                entry.getValue().key(),
                "limit " + Value.quoted(entry.getKey()) + " is unknown in rlimits",
                near.isPresent() ? "did you mean \"" + near.get() + "\"?" : "known here: " + String.join(", ", known));
    }

    private Optional<ResourceLimit> limit(Section limits, Limit what, Value value) {
        Optional<OptionalLong> soft;
        Optional<OptionalLong> hard;
        if (value instanceof Mapping) {
            Section both = limits.section(what.word()).orElseThrow().knows(Keys.RLIMIT);
            for (String key : Keys.RLIMIT) {
                if (!both.has(key)) {
                    both.problem(both.place(), what.word() + " has no " + key, "add " + key + ": 1024, or unlimited");
                }
            }
            soft = bound(both, "soft", what);
            hard = bound(both, "hard", what);
        } else {
            soft = bound(limits, what.word(), what);
            hard = soft;
        }
        if (soft.isEmpty() || hard.isEmpty()) {
            return Optional.empty();
        }
        if (ResourceLimit.isAbove(soft.get(), hard.get())) {
            limits.problem(
                    value.place(),
                    what.word() + " has a soft limit above the hard one",
                    "lower it, or raise the other");
            return Optional.empty();
        }
        ResourceLimit limit = new ResourceLimit(what, soft.get(), hard.get());
        permitted(limits, limit, value.place());
        return Optional.of(limit);
    }

    /** The outer is empty where it cannot be read, the inner where it is unlimited. */
    private static Optional<OptionalLong> bound(Section section, String key, Limit what) {
        String example = what.isInBytes()
                ? "a number of bytes, a size such as 64MiB, or unlimited"
                : "a whole number, or unlimited";
        Optional<Text> text = section.text(key, example);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        String written = text.get().text();
        if (written.equals("unlimited")) {
            return Optional.of(OptionalLong.empty());
        }
        Optional<Long> number = what.isInBytes() ? SizeText.parse(written) : Optional.empty();
        if (number.isEmpty() && !written.isEmpty() && written.length() <= 18 && isDigits(written)) {
            number = Optional.of(Long.parseLong(written));
        }
        if (number.isEmpty() || number.get() >= MOST) {
            section.problem(text.get().place(), key + " is " + text.get().kind(), "write " + example);
            return Optional.empty();
        }
        return Optional.of(OptionalLong.of(number.get()));
    }

    private static boolean isDigits(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private void permitted(Section limits, ResourceLimit limit, Place place) {
        String what = limit.what().word();
        long most = limit.what() == Limit.NOFILE ? machine.mostOpenFiles() : MOST;
        if (most < MOST && ResourceLimit.isAbove(limit.hard(), OptionalLong.of(most))) {
            limits.problem(
                    place,
                    what + " is above " + most + ", the most that this machine gives to anybody",
                    "lower it, or raise the sysctl fs.nr_open");
            return;
        }
        OptionalLong ours = machine.limit(limit.what()).hard();
        if (ResourceLimit.isAbove(limit.hard(), ours) && !machine.mayRaiseLimits()) {
            limits.forbidden(
                    place,
                    what + " is above " + ours.getAsLong()
                            + ", the hard limit of the supervisor, and to raise that takes CAP_SYS_RESOURCE",
                    "lower it, or run the supervisor as root or with a higher limit");
        }
    }

    // ---- and how ----

    private OptionalInt nice(Section section) {
        OptionalInt nice = section.integer("nice", Privileges.LEAST_NICE, Privileges.MOST_NICE);
        if (nice.isPresent() && !machine.mayHaveNice(nice.getAsInt())) {
            section.forbidden(
                    section.placeOf("nice"),
                    "nice is " + nice.getAsInt() + ", and to go below that of the supervisor takes CAP_SYS_NICE",
                    "write a higher number, or run the supervisor as root");
        }
        return nice;
    }

    private OptionalInt oomScoreAdj(Section section) {
        OptionalInt adj =
                section.integer("oom_score_adj", -Privileges.MOST_OOM_SCORE_ADJ, Privileges.MOST_OOM_SCORE_ADJ);
        if (adj.isPresent() && adj.getAsInt() < machine.oomScoreAdj() && !machine.mayRaiseLimits()) {
            section.forbidden(
                    section.placeOf("oom_score_adj"),
                    "oom_score_adj is " + adj.getAsInt()
                            + ", and to go below that of the supervisor, which is " + machine.oomScoreAdj()
                            + ", takes CAP_SYS_RESOURCE",
                    "write a higher number, or run the supervisor as root in no container that takes this away");
        }
        return adj;
    }

    /** The programs that do it. Which key each of them is for. */
    private void needs(Section section, Privileges read) {
        for (String loader : read.loaders()) {
            if (!machine.hasLoader(loader)) {
                String key =
                        switch (loader) {
                            case "choom" -> "oom_score_adj";
                            case "nice" -> "nice";
                            case "prlimit" -> "rlimits";
                            case "sh" -> "resources";
                            default ->
                                firstOf(section, "user", "group", "supplementary_groups", "no_new_privs", "resources");
                        };
                section.problem(
                        section.placeOf(key),
                        key + " needs the program " + loader + "(1), which is not on this machine",
                        "install it (util-linux, coreutils), or remove the key");
            }
        }
    }

    private static String firstOf(Section section, String... keys) {
        for (String key : keys) {
            if (section.has(key)) {
                return key;
            }
        }
        return keys[0];
    }
}
