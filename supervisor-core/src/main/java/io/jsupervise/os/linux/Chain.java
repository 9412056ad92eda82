package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ResourceLimit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Small programs in front of that of the service, each of which changes something of its own process and executes the next
 * (Bernstein chain loading): what a process can only do to itself, without any code of ours in it. Privileges go last, since
 * a limit may have to be raised before; limits go before them, so they already hold for the last loaders.
 *
 * <p>Until its last step a chain has our privileges, and must not be led by what the service is given: variables that make
 * the dynamic loader run other code (ld.so(8)), which may come from a file of the service's user, are kept from it. They
 * are set at its end by env(1).
 */
final class Chain {
    /** Variables that ld.so(8) ignores in programs that gain privileges, and why they are kept from those that have them. */
    private static final List<String> DANGEROUS = List.of(
            "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "MALLOC_CHECK_", "MALLOC_PERTURB_");

    /**
     * The process that writes 0 is meant itself (cgroups(7)), so nothing of the service ever runs elsewhere. It fails with an
     * exit code that scripts do not use for themselves.
     */
    private static final String ENTER = "echo 0 >\"$1\" || exit 125; shift; ";

    private static final String GO_ON = "exec \"$@\"";

    /** Variables that a shell sets on its own account. */
    private static final List<String> OF_SHELLS = List.of("PWD", "OLDPWD", "SHLVL", "_");

    private final LoaderPath loaders;

    Chain(LoaderPath loaders) {
        this.loaders = loaders;
    }

    /**
     * What to spawn in the place of {@code request}; itself where nothing is to be loaded.
     *
     * @param switchesUser whether its credentials are others than ours
     * @param niceBy       to be added to our nice value; empty where that is not for a loader to do
     * @param lookUpAsUser whether the program has to be looked up by a loader that has no rights but those of its user
     */
    SpawnRequest of(SpawnRequest request, boolean switchesUser, OptionalInt niceBy, boolean lookUpAsUser)
            throws SpawnException {
        Privileges asked = request.privileges();
        List<String> argv = new ArrayList<>();
        boolean byShell = addShell(argv, request);
        if (asked.oomScoreAdj().isPresent()) {
            add(argv, "choom", "-n", Integer.toString(asked.oomScoreAdj().getAsInt()), "--");
        }
        if (niceBy.isPresent()) {
            add(argv, "nice", "-n", Integer.toString(niceBy.getAsInt()), "--");
        }
        if (!asked.limits().isEmpty()) {
            add(argv, "prlimit");
            for (ResourceLimit limit : asked.limits()) {
                argv.add("--" + limit.what().word() + "=" + limit.range());
            }
            argv.add("--");
        }
        if (switchesUser || asked.noNewPrivs()) {
            add(argv, "setpriv");
            if (switchesUser) {
                addCredentials(argv, asked.credentials().orElseThrow());
            }
            if (asked.noNewPrivs()) {
                argv.add("--no-new-privs");
            }
            argv.add("--");
        }
        if (argv.isEmpty()) {
            return request;
        }
        Map<String, String> environment = request.environment();
        if (byShell || switchesUser) {
            environment = handed(request, byShell, switchesUser, lookUpAsUser, argv);
        }
        argv.addAll(request.argv());
        return new SpawnRequest(
                argv, request.workingDir(), environment, request.umask(), request.stdout(), request.stderr());
    }

    /** What needs a shell, which goes first: a process keeps its number and its control group over what it executes. */
    private boolean addShell(List<String> argv, SpawnRequest request) throws SpawnException {
        Optional<String> pidVariable = request.pidVariable()
                .filter(name ->
                        loaders.find("sh").isPresent() && loaders.find("env").isPresent());
        String tell = pidVariable.map(name -> "export " + name + "=$$; ").orElse("");
        if (request.group().isPresent()) {
            add(argv, "sh", "-c", ENTER + tell + GO_ON, "sh", request.group().get() + "/cgroup.procs");
        } else if (pidVariable.isPresent()) {
            add(argv, "sh", "-c", tell + GO_ON, "sh");
        }
        return request.group().isPresent() || pidVariable.isPresent();
    }

    private void add(List<String> argv, String loader, String... options) throws SpawnException {
        Path path = loaders.find(loader)
                .orElseThrow(() -> new SpawnException(
                        Errno.ENOENT, loader + " in PATH " + loaders + ", which has to be executed in front of it"));
        argv.add(path.toString());
        for (String option : options) {
            argv.add(option);
        }
    }

    private static void addCredentials(List<String> argv, Credentials who) {
        argv.add("--reuid=" + Integer.toUnsignedString(who.uid()));
        argv.add("--regid=" + Integer.toUnsignedString(who.gid()));
        if (who.groups().isEmpty()) {
            argv.add("--clear-groups");
            return;
        }
        StringBuilder groups = new StringBuilder("--groups=");
        for (int group : who.groups()) {
            groups.append(groups.length() == 9 ? "" : ",").append(Integer.toUnsignedString(group));
        }
        argv.add(groups.toString());
    }

    /**
     * What the loaders get for an environment. The rest is set at the end of the chain, so that the program has what it is to
     * have: a shell changes some variables and drops those that it could not name.
     */
    private Map<String, String> handed(
            SpawnRequest request, boolean byShell, boolean switchesUser, boolean lookUpAsUser, List<String> argv)
            throws SpawnException {
        Map<String, String> rest = new HashMap<>(request.environment());
        List<String> words = new ArrayList<>();
        if (byShell) {
            for (String name : OF_SHELLS) {
                words.add("-u");
                words.add(name);
            }
        }
        for (Map.Entry<String, String> variable : request.environment().entrySet()) {
            String name = variable.getKey();
            if (switchesUser && isDangerous(name) || byShell && (OF_SHELLS.contains(name) || !isOfShell(name))) {
                rest.remove(name);
                if (rest.size() == request.environment().size() - 1) {
                    words.add("--");
                }
                words.add(name + "=" + variable.getValue());
            }
        }
        if (lookUpAsUser && words.isEmpty()) {
            words.add("--");
        }
        if (!words.isEmpty()) {
            add(argv, "env", words.toArray(new String[0]));
            if (request.argv().get(0).indexOf('=') >= 0) {
                // Which env(1) would take for a variable.
                add(argv, "nice", "-n", "0", "--");
            }
        }
        return rest;
    }

    private static boolean isDangerous(String name) {
        return name.startsWith("LD_") || DANGEROUS.contains(name);
    }

    /** Whether a shell can have a variable of that name. */
    private static boolean isOfShell(String name) {
        boolean is = !name.isEmpty() && !(name.charAt(0) >= '0' && name.charAt(0) <= '9');
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            is &= c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_';
        }
        return is
                && !name.equals("SHELLOPTS")
                && !name.equals("PS4")
                && !name.equals("BASH_ENV")
                && !name.equals("ENV");
    }
}
