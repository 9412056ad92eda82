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

    private final LoaderPath loaders;

    Chain(LoaderPath loaders) {
        this.loaders = loaders;
    }

    /**
     * What to spawn in the place of {@code request}; itself where nothing is to be loaded.
     *
     * @param switchesUser whether its credentials are others than ours
     * @param niceBy       to be added to our nice value; empty where that is not for a loader to do
     */
    SpawnRequest of(SpawnRequest request, boolean switchesUser, OptionalInt niceBy) throws SpawnException {
        Privileges asked = request.privileges();
        List<String> argv = new ArrayList<>();
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
        if (switchesUser) {
            environment = withoutDangerous(environment, argv);
        }
        argv.addAll(request.argv());
        return new SpawnRequest(
                argv, request.workingDir(), environment, request.umask(), request.stdout(), request.stderr());
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

    private Map<String, String> withoutDangerous(Map<String, String> environment, List<String> argv)
            throws SpawnException {
        Map<String, String> rest = environment;
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            String name = variable.getKey();
            if (name.startsWith("LD_") || DANGEROUS.contains(name)) {
                if (rest == environment) {
                    rest = new HashMap<>(environment);
                    add(argv, "env", "--");
                }
                rest.remove(name);
                argv.add(name + "=" + variable.getValue());
            }
        }
        return rest;
    }
}
