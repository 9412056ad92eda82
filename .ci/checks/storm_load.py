"""What runs under the supervisor while kill_storm.py kills it. Each keeps a record of its own of what it did, apart from its log.

usage: storm_load.py ROLE DIRECTORY

DIRECTORY/runs/SERVICE      one line when a run begins (start RUN PID STARTTIME) and one just before it ends by itself (end RUN HOW TIME)
DIRECTORY/truth/RUN.STREAM  two numbers in shared memory, which outlive a SIGKILL: the last line begun, and the last line written
DIRECTORY/wrong             what must never happen to a program: SIGPIPE, or another error of write(2)
DIRECTORY/calm              once this exists, nothing dies any more and the numbered lines end

Roles: crash (lives a moment), flood (numbered lines at full speed, then dies), slow (numbered lines on both streams, never dies),
idle (a few lines), stubborn (the same, ignores TERM), pool (with workers in its group, never dies), brittle (the same, but its main process dies).
"""

import mmap
import os
import signal
import struct
import sys
import time
from random import Random

ROLE, DIRECTORY = sys.argv[1:3]
SERVICE = os.environ["JSUPERVISE_SERVICE"]
RUN = os.environ["JSUPERVISE_RUN_ID"]
CHANCE = Random(RUN)
CALM = DIRECTORY + "/calm"


def append(path, text):
    """In one write(2), which the kernel puts at the end of the file in one step."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    os.write(file, text.encode())
    os.close(file)


def note(*words):
    append(f"{DIRECTORY}/runs/{SERVICE}", " ".join(map(str, words)) + "\n")


def calm():
    return os.path.exists(CALM)


class Lines:
    """Numbered lines on one stream."""

    def __init__(self, stream):
        self.stream = stream
        self.number = 0
        file = os.open(f"{DIRECTORY}/truth/{RUN}.{stream}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(file, 16)
        self.truth = mmap.mmap(file, 16)
        os.close(file)

    def write(self, count=1):
        first, self.number = self.number + 1, self.number + count
        text = b"".join(b"%s %d %s\n" % (RUN.encode(), n, b"x" * (n % 61)) for n in range(first, self.number + 1))
        struct.pack_into("q", self.truth, 0, self.number)
        while text:
            try:
                text = text[os.write(self.stream, text):]
            except OSError as e:
                # The interpreter ignores SIGPIPE, so this is where it would show.
                append(DIRECTORY + "/wrong", f"{SERVICE} {RUN} line {self.number} of {self.stream}: {e}\n")
                os._exit(97)
        struct.pack_into("q", self.truth, 8, self.number)


def die():
    """By itself, in one of many ways; never while all shall be calm."""
    if calm():
        rest()
    how = CHANCE.choice(["exit 0", "exit 1", "exit 42", "SIGKILL", "SIGTERM", "SIGSEGV"])
    note("end", RUN, how.replace(" ", "-"), time.monotonic())
    if how.startswith("exit"):
        os._exit(int(how[5:]))
    number = getattr(signal, how)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def rest():
    while True:
        time.sleep(10)


def live(mean):
    """For a random time, in small pieces, so that calm is seen."""
    end = time.monotonic() + min(CHANCE.expovariate(1 / mean), 4 * mean)
    while time.monotonic() < end and not calm():
        time.sleep(max(0, min(0.1, end - time.monotonic())))


def workers(count):
    """Children in our process group that outlive us where nobody ends them; TERM does not."""
    for _ in range(count):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            rest()


def drip(streams, pause):
    lines = [Lines(stream) for stream in streams]
    while not calm():
        for one in lines:
            one.write()
        time.sleep(pause)
    rest()


def main():
    started = open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]
    if ROLE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("start", RUN, os.getpid(), started)
    if ROLE == "crash":
        live(0.3)
        die()
    elif ROLE == "flood":
        out = Lines(1)
        left = 0 if calm() else CHANCE.choice([1, 100, CHANCE.randint(1, 6000), 9000])
        while left > 0:
            count = min(left, CHANCE.choice([1, 40, 400]))
            out.write(count)
            left -= count
        if CHANCE.random() < 0.5:
            live(0.2)
        die()
    elif ROLE == "slow":
        drip([1, 2], 0.005)
    elif ROLE in ("idle", "stubborn"):
        drip([1], 0.02)
    elif ROLE == "pool":
        workers(3)
        rest()
    elif ROLE == "brittle":
        workers(2)
        live(0.4)
        die()


main()
