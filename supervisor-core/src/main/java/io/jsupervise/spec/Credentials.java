package io.jsupervise.spec;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Who a service runs as. Numbers, since names have to be looked up in a database that may be far away: once, when the
 * services file is read, and not at every start.
 *
 * @param user        the name, or the number where it has no name; for people
 * @param uid         real, effective and saved user, 32 bits without a sign
 * @param gid         real, effective and saved group
 * @param groups      the supplementary groups, all of them
 * @param environment HOME, USER, LOGNAME and SHELL of that user, below what the service says itself
 */
public record Credentials(String user, int uid, int gid, List<Integer> groups, Map<String, String> environment) {
    public Credentials {
        groups = List.copyOf(groups);
        environment = Collections.unmodifiableMap(new TreeMap<>(environment));
    }
}
