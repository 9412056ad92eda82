package io.jsupervise.os.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsContractTest;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link LinuxOs} keeps the contract that the simulator keeps too. */
class LinuxOsContractLinuxTest extends OsContractTest {
    private final Os os = new LinuxOs();

    @TempDir
    private Path dir;

    @Override
    protected Os os() {
        return os;
    }

    @Override
    protected Path dir() {
        return dir;
    }

    /** Kernel 6.15. */
    @Override
    protected boolean pidFdsTellExits() {
        String[] release = System.getProperty("os.version").split("[.-]");
        int major = Integer.parseInt(release[0]);
        return major > 6 || major == 6 && Integer.parseInt(release[1]) >= 15;
    }

    @Test
    void a_failure_on_a_descriptor_names_its_file() throws Exception {
        Fd full = os.open(Path.of("/dev/full"), OpenMode.WRITE, 0);
        OsException e = assertThrows(OsException.class, () -> os.write(full, new byte[1], 0, 1));
        assertEquals("write /dev/full: ENOSPC (no space left on device)", e.getMessage());
        os.close(full);
        OsException closed = assertThrows(OsException.class, () -> os.fsync(new Fd(Integer.MAX_VALUE)));
        assertEquals(Errno.EBADF, closed.errno());
    }

    @Override
    protected List<String> exits(int code) {
        return List.of("sh", "-c", "exit " + code);
    }

    @Override
    protected List<String> sleeps() {
        return List.of("sleep", "1000");
    }

    @Override
    protected List<String> leavesAnOrphan() {
        return List.of("sh", "-c", "sleep 1000 & exit 0");
    }

    @Override
    protected List<String> writes(String line) {
        return List.of("sh", "-c", "echo \"$1\"; exec sleep 1000", "sh", line);
    }
}
