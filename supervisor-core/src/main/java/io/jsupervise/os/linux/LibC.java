package io.jsupervise.os.linux;

/**
 * What is called of the C library. System calls go through syscall(2), which passes six integers in registers on both
 * architectures whatever the call takes; an interface with a method for each would cost 2 ms of start-up per ten of
 * them. Addresses are plain longs: no object is made for a call. Public because jnr-ffi implements it.
 */
public interface LibC {
    long syscall(long number, long a, long b, long c, long d, long e, long f);

    /**
     * Returns the errno, 0 where the child was made.
     *
     * @param unused any value: with exactly six integers jnr-ffi 2.3.4 passes the last one wrongly on x86-64 (its stub
     *     compiler takes it from the wrong place on the stack), with seven it takes another way
     */
    int posix_spawn(long pid, long path, long fileActions, long attributes, long argv, long envp, long unused);

    int posix_spawnattr_init(long attributes);

    int posix_spawnattr_setflags(long attributes, short flags);

    int posix_spawnattr_setsigmask(long attributes, long signals);

    int posix_spawnattr_setsigdefault(long attributes, long signals);

    int posix_spawn_file_actions_init(long actions);

    int posix_spawn_file_actions_destroy(long actions);

    int posix_spawn_file_actions_addopen(long actions, int fd, long path, int flags, int mode);

    int posix_spawn_file_actions_adddup2(long actions, int fd, int newFd);

    /** glibc 2.34. */
    int posix_spawn_file_actions_addclosefrom_np(long actions, int from);

    /** glibc 2.29. */
    int posix_spawn_file_actions_addchdir_np(long actions, long path);
}
