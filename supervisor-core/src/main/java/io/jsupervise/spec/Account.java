package io.jsupervise.spec;

import java.util.List;

/**
 * An entry of the user database (passwd(5)), with the groups that the user is a member of (initgroups(3)).
 *
 * @param uid    as the kernel has it, 32 bits without a sign
 * @param gid    of its first group
 * @param groups all of its groups, the first one among them
 * @param home   its home directory; may be empty
 * @param shell  its login shell; may be empty
 */
public record Account(String name, int uid, int gid, List<Integer> groups, String home, String shell) {
    public Account {
        groups = List.copyOf(groups);
    }
}
