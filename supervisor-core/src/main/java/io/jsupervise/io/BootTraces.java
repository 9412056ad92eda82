package io.jsupervise.io;

import io.jsupervise.journal.LastBoot;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.WatchdogSupport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the machine still knows of the boot before this one: the boot status of the watchdog, and the crash logs of kernels
 * (pstore, and where systemd-pstore(8) has put them by now). Read once a boot.
 */
public final class BootTraces {
    private static final List<Path> CRASH_LOGS = List.of(Path.of("/sys/fs/pstore"), Path.of("/var/lib/systemd/pstore"));

    private BootTraces() {}

    /** @param bootStatus as the device told; empty where there is none */
    public static LastBoot.Evidence find(Os os, Optional<Integer> bootStatus) {
        int bits = bootStatus.orElse(0);
        return new LastBoot.Evidence(
                (bits & WatchdogSupport.CARD_RESET) != 0,
                (bits & (WatchdogSupport.POWER_UNDER | WatchdogSupport.POWER_OVER)) != 0,
                bootStatus,
                crashLogs(os));
    }

    /** The last of each, with their number: names rise with time, and all of them would make a long record. */
    private static String crashLogs(Os os) {
        StringBuilder text = new StringBuilder();
        for (Path folder : CRASH_LOGS) {
            List<String> names;
            try {
                names = os.list(folder);
            } catch (OsException e) {
                // None there, or not for our eyes: it tells nothing.
                continue;
            }
            if (!names.isEmpty()) {
                text.append(text.length() == 0 ? "" : ", ")
                        .append(names.size())
                        .append(" in ")
                        .append(folder)
                        .append(" up to ")
                        .append(names.get(names.size() - 1));
            }
        }
        return text.toString();
    }
}
