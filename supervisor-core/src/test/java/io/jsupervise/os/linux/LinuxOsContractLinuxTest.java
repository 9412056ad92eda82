package io.jsupervise.os.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.os.Child;
import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsContractTest;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    protected List<String> says(String message) {
        return List.of(
                "python3",
                "-c",
                "import os, socket, sys, time\n"
                        + "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                        + "s.sendto(sys.argv[1].encode(), os.environ['NOTIFY_SOCKET'])\n"
                        + "time.sleep(1000)",
                message);
    }

    @Test
    void what_comes_with_a_datagram_is_ours_to_close() throws Exception {
        Path path = dir.resolve("n");
        Fd socket = os.bindDatagrams(path);
        Path fifo = dir.resolve("f");
        os.mkfifo(fifo, 0600);
        SpawnRequest request = new SpawnRequest(
                List.of(
                        "python3",
                        "-c",
                        "import os, socket, array, time\n"
                                + "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                                + "s.connect(os.environ['NOTIFY_SOCKET'])\n"
                                + "r, w = os.pipe()\n"
                                + "s.sendmsg([b'BARRIER=1'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [w]))])\n"
                                + "os.close(w)\n"
                                + "os.read(r, 1)\n"),
                dir,
                Map.of("PATH", System.getenv("PATH"), "NOTIFY_SOCKET", path.toString()),
                022,
                new SpawnRequest.Output.Null(),
                new SpawnRequest.Output.Null());
        Child child = os.spawn(request);
        Datagram message = waitFor(socket);
        assertEquals(child.pid().value(), message.sender());
        assertEquals(os.uid(), message.uid());
        assertEquals(1, message.descriptors().size());
        assertEquals(Optional.empty(), os.peekExit(child), "it waits until the descriptor is closed");
        os.close(message.descriptors().get(0));
        while (os.peekExit(child).isEmpty()) {
            Thread.sleep(5);
        }
        assertEquals(new ExitStatus.Exited(0), os.peekExit(child).orElseThrow());
        os.reap(child);
        os.release(child);
        os.close(socket);
    }

    @Override
    protected List<String> writes(String line) {
        return List.of("sh", "-c", "echo \"$1\"; exec sleep 1000", "sh", line);
    }
}
