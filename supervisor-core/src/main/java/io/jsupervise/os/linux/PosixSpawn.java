package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jnr.ffi.Pointer;

/**
 * posix_spawn(3): clone with CLONE_VFORK, so the cost does not grow with our heap, and an errno for what exec refused.
 * One thread only, the one that spawns: it has its own umask (unshare(2) with CLONE_FS), which children inherit, and
 * the memory for the arguments is used again and again.
 */
final class PosixSpawn {
    private static final int SETSIGDEF = 0x04;
    private static final int SETSIGMASK = 0x08;
    private static final int SETSID = 0x80;
    private static final int O_RDONLY = 0;
    private static final int O_WRONLY = 1;
    private static final int O_RDWR = 2;
    private static final int CLONE_FS = 0x200;
    private static final int SIGSET_BYTES = 128;

    /** Of all our threads: {@link LinuxOs}. */
    private static final int OUR_UMASK = 022;

    private final Kernel kernel;
    private final LibC libc;
    private final Pointer attributes;
    private final Pointer actions;
    private final Pointer pid;
    private final Pointer devNull;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(8192);
    private Pointer block;
    private boolean ownUmask;

    PosixSpawn(Kernel kernel) {
        this.kernel = kernel;
        this.libc = kernel.libc();
        this.attributes = kernel.memory(1024);
        this.actions = kernel.memory(512);
        this.pid = kernel.memory(16);
        this.devNull = kernel.memory(16);
        this.block = kernel.memory(1 << 14);
        devNull.putString(0, "/dev/null", 16, StandardCharsets.US_ASCII);
        Pointer none = kernel.memory(SIGSET_BYTES);
        Pointer all = kernel.memory(SIGSET_BYTES);
        all.setMemory(0, SIGSET_BYTES, (byte) 0xff);
        libc.posix_spawnattr_init(attributes.address());
        libc.posix_spawnattr_setflags(attributes.address(), (short) (SETSIGDEF | SETSIGMASK | SETSID));
        libc.posix_spawnattr_setsigmask(attributes.address(), none.address());
        libc.posix_spawnattr_setsigdefault(attributes.address(), all.address());
    }

    /** @param program the file to execute; relative to the working directory of the request */
    Pid spawn(Path program, SpawnRequest request) throws SpawnException {
        if (request.umask() == OUR_UMASK) {
            return spawnWithUmask(program, request);
        }
        setUmask(request.umask());
        try {
            return spawnWithUmask(program, request);
        } finally {
            // This thread makes files too.
            setUmask(OUR_UMASK);
        }
    }

    private Pid spawnWithUmask(Path program, SpawnRequest request) throws SpawnException {
        List<String> argv = request.argv();
        int errno = spawn(program, argv, request);
        if (errno == Errno.ENOEXEC.number()) {
            // A script without "#!" is for the shell, as execvp(3) has it.
            List<String> script = new ArrayList<>();
            script.add("/bin/sh");
            script.add(program.toString());
            script.addAll(argv.subList(1, argv.size()));
            errno = spawn(Path.of("/bin/sh"), script, request);
        }
        if (errno != 0) {
            throw new SpawnException(Errno.of(errno), program.toString());
        }
        return new Pid(pid.getInt(0));
    }

    private void setUmask(int umask) {
        if (!ownUmask) {
            kernel.call(Syscall.UNSHARE, CLONE_FS, 0, 0);
            ownUmask = true;
        }
        kernel.call(Syscall.UMASK, umask, 0, 0);
    }

    private int spawn(Path program, List<String> argv, SpawnRequest request) throws SpawnException {
        Block args = new Block(program, argv, request);
        libc.posix_spawn_file_actions_init(actions.address());
        try {
            int errno = addActions(args, request);
            if (errno != 0) {
                throw new SpawnException(Errno.of(errno), "posix_spawn_file_actions");
            }
            return libc.posix_spawn(
                    pid.address(), args.program, actions.address(), attributes.address(), args.argv, args.envp, 0);
        } finally {
            libc.posix_spawn_file_actions_destroy(actions.address());
        }
    }

    private int addActions(Block args, SpawnRequest request) {
        long to = actions.address();
        int errno = libc.posix_spawn_file_actions_addopen(to, 0, devNull.address(), O_RDONLY, 0);
        errno |= addOutput(1, request.stdout(), args.stdout);
        errno |= addOutput(2, request.stderr(), args.stderr);
        errno |= libc.posix_spawn_file_actions_addclosefrom_np(to, 3);
        errno |= libc.posix_spawn_file_actions_addchdir_np(to, args.workingDir);
        return errno;
    }

    private int addOutput(int fd, Output output, long path) {
        long to = actions.address();
        if (output instanceof Output.Fifo) {
            return libc.posix_spawn_file_actions_addopen(to, fd, path, O_RDWR, 0);
        } else if (output instanceof Output.Null) {
            return libc.posix_spawn_file_actions_addopen(to, fd, devNull.address(), O_WRONLY, 0);
        } else if (output instanceof Output.Descriptor descriptor) {
            return libc.posix_spawn_file_actions_adddup2(to, descriptor.fd().number(), fd);
        } else if (output instanceof Output.SameAsStdout) {
            return libc.posix_spawn_file_actions_adddup2(to, 1, fd);
        } else if (output instanceof Output.Inherit) {
            // To itself: clears close-on-exec, should it be set.
            return libc.posix_spawn_file_actions_adddup2(to, fd, fd);
        }
        throw new AssertionError(output);
    }

    /** All strings of one spawn in one piece of native memory, and the two arrays of pointers to them. */
    private final class Block {
        final long program;
        final long workingDir;
        final long stdout;
        final long stderr;
        final long argv;
        final long envp;

        Block(Path path, List<String> arguments, SpawnRequest request) {
            bytes.reset();
            int programAt = add(path.toString());
            int workingDirAt = add(request.workingDir().toString());
            int stdoutAt = add(
                    request.stdout() instanceof Output.Fifo fifo ? fifo.path().toString() : "");
            int stderrAt = add(
                    request.stderr() instanceof Output.Fifo fifo ? fifo.path().toString() : "");
            int[] arguments0 = new int[arguments.size()];
            for (int i = 0; i < arguments0.length; i++) {
                arguments0[i] = add(arguments.get(i));
            }
            int[] variables = new int[request.environment().size()];
            int n = 0;
            for (Map.Entry<String, String> variable : request.environment().entrySet()) {
                variables[n++] = add(variable.getKey(), variable.getValue());
            }
            int arrays = (bytes.size() + 7) & ~7;
            int total = arrays + 8 * (arguments0.length + 1 + variables.length + 1);
            if (block.size() < total) {
                block = kernel.memory(2 * total);
            }
            byte[] strings = bytes.toByteArray();
            block.put(0, strings, 0, strings.length);
            long base = block.address();
            program = base + programAt;
            workingDir = base + workingDirAt;
            stdout = base + stdoutAt;
            stderr = base + stderrAt;
            argv = base + arrays;
            envp = base + putPointers(arrays, arguments0);
            putPointers((int) (envp - base), variables);
        }

        private int add(String text) {
            int at = bytes.size();
            byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
            bytes.write(encoded, 0, encoded.length);
            bytes.write(0);
            return at;
        }

        private int add(String name, String value) {
            int at = bytes.size();
            byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
            bytes.write(encoded, 0, encoded.length);
            bytes.write('=');
            add(value);
            return at;
        }

        /** Returns where the array, ended by a null pointer, ends. */
        private int putPointers(int at, int[] offsets) {
            int position = at;
            for (int offset : offsets) {
                block.putLong(position, block.address() + offset);
                position += 8;
            }
            block.putLong(position, 0);
            return position + 8;
        }
    }
}
