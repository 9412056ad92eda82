package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import jnr.posix.Group;
import jnr.posix.POSIXFactory;

/** Groups by name, as getgrnam(3) finds them: in files, LDAP or wherever nsswitch.conf says. */
final class Groups {
    private Groups() {}

    static int gid(String name) throws OsException {
        Group group = POSIXFactory.getNativePOSIX().getgrnam(name);
        if (group == null) {
            throw new OsException(Errno.ENOENT, "find group \"" + name + "\"");
        }
        return (int) group.getGID();
    }
}
