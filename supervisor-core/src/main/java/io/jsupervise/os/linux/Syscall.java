package io.jsupervise.os.linux;

/** The system calls that are used, by their numbers in {@code asm/unistd.h} of the two architectures. */
enum Syscall {
    READ(0, 63),
    WRITE(1, 64),
    CLOSE(3, 57),
    SOCKET(41, 198),
    SENDTO(44, 206),
    BIND(49, 200),
    SENDMSG(46, 211),
    RECVMSG(47, 212),
    SOCKETPAIR(53, 199),
    SETSOCKOPT(54, 208),
    RT_SIGACTION(13, 134),
    IOCTL(16, 29),
    PREAD64(17, 67),
    PWRITE64(18, 68),
    GETPID(39, 172),
    EXECVE(59, 221),
    KILL(62, 129),
    FCNTL(72, 25),
    FLOCK(73, 32),
    FSYNC(74, 82),
    FDATASYNC(75, 83),
    FTRUNCATE(77, 46),
    SYNC_FILE_RANGE(277, 84),
    UMASK(95, 166),
    GETEUID(107, 175),
    GETEGID(108, 177),
    GETGROUPS(115, 158),
    SETGROUPS(116, 159),
    SETFSUID(122, 151),
    SETFSGID(123, 152),
    GETPRIORITY(140, 141),
    SETPRIORITY(141, 140),
    PRCTL(157, 167),
    GETDENTS64(217, 61),
    EPOLL_CTL(233, 21),
    WAITID(247, 95),
    OPENAT(257, 56),
    MKDIRAT(258, 34),
    MKNODAT(259, 33),
    FCHOWNAT(260, 54),
    UNLINKAT(263, 35),
    RENAMEAT(264, 38),
    READLINKAT(267, 78),
    FCHMODAT(268, 53),
    FACCESSAT(269, 48),
    UNSHARE(272, 97),
    PRLIMIT64(302, 261),
    SPLICE(275, 76),
    TEE(276, 77),
    UTIMENSAT(280, 88),
    EPOLL_PWAIT(281, 22),
    EVENTFD2(290, 19),
    EPOLL_CREATE1(291, 20),
    PIPE2(293, 59),
    SHUTDOWN(48, 210),
    PPOLL(271, 73),
    RENAMEAT2(316, 276),
    STATX(332, 291),
    PIDFD_SEND_SIGNAL(424, 424),
    PIDFD_OPEN(434, 434),
    PIDFD_GETFD(438, 438),
    EPOLL_PWAIT2(441, 441);

    private final int x86;
    private final int arm;

    Syscall(int x86, int arm) {
        this.x86 = x86;
        this.arm = arm;
    }

    int number(boolean onArm) {
        return onArm ? arm : x86;
    }
}
