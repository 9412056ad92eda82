"""Kills the real supervisor with SIGKILL at random moments, also while it starts, and starts it again, under load; then compares what
it says with what its services and /proc say.

usage: kill_storm.py --kills N --seed N [--seconds N] JSUPERVISE DIRECTORY

Three parties run beside the one that kills. A sampler looks at /proc all the time. A client for each of some services stops, starts and
restarts it, and keeps a ledger of what it was answered; that it is not answered where no supervisor runs is to be expected. The services
(storm_load.py) keep records of what they do apart from their logs.

What must hold:

* At no moment do two main processes of a service live, nor a worker of an earlier run beside a main process. A pair counts only if the first
  one was still alive after the second one was seen alive, so a sample that takes its time accuses nobody.
* Every numbered line is in the log once, in order, run after run: 1..n, where n is what the program itself says it has written. Where it was
  killed while it wrote, n may be any number between the last line begun and the last line done.
* Every end that a service came to by itself is one restart: runs = 1 + restarts. One thing is beyond what can be known: a run that was started in
  the very instant of a kill, before its record, and that ended before the next supervisor looked. Nobody living has seen it. Such runs may be
  missing, and only they: each must have been unknown to the journal when the supervisor was dead, and have begun just before.
* What was stopped, and answered as recorded, does not run until the next request. What clients do never counts as a restart.
* What neither ends by itself nor is touched by a client is the same process from the first moment to the last.
* The journal decodes after each kill; restarts never become fewer; nothing is set aside.
* Nobody gets SIGPIPE or another error of write(2). After an orderly end no process is left.
"""

import argparse
import glob
import gzip
import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from statistics import median

MORTAL = {"crash-a": "crash", "crash-b": "crash", "crash-c": "crash", "flood-a": "flood", "flood-b": "flood", "packed": "flood",
          "brittle": "brittle"}
STEADY = {"slow": "slow", "stamped": "slow", "pool": "pool"}
OPERATED = {"idle-a": "idle", "idle-b": "idle", "stubborn": "stubborn"}
LOG = {"packed": (256, "compress: true"), "slow": (512, "stderr: file"), "stamped": (512, "stderr: file, timestamps: true")}
STEP = 0.02  # between two looks at /proc
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")

# None of these may be told of; the first would also make counts uncertain, since nothing waits for a journal that is stale.
BAD_EVENTS = {"journal-stale", "ignored", "journal-damaged", "gave-up", "start-failed", "group-remains", "log-failed", "log-removed",
              "log-dropping", "log-lost", "log-not-rotated", "trouble", "runtime-not-restored"}


def services_file(directory, kills):
    """No more than 1000 rotated files are kept, and none may be missing: the longer it lasts, the larger they are."""
    load = f"{sys.executable}, -I, -S, {os.path.abspath(os.path.dirname(__file__))}/storm_load.py"
    lines = ["defaults: {backoff: {initial: 50ms, max: 100ms}, ready: {delay: 50ms}, stop_timeout: 500ms}", "services:"]
    for name, role in {**MORTAL, **STEADY, **OPERATED}.items():
        size, more = LOG.get(name, (2048, "stderr: merge"))
        log = f"max_size: {size * max(1, kills // 250)}KiB, max_files: 1000, {more}"
        lines.append(f"  {name}: {{command: [{load}, {role}, {directory}/load], log: {{{log}}}}}")
    return "\n".join(lines) + "\n"


class Wrong(Exception):
    """What was tried does not hold."""


# ---- /proc ----

def stat(pid):
    """(state, group, session, start time) or None."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rsplit(b")", 1)[1].split()
    except OSError:
        return None
    return words[0], int(words[2]), int(words[3]), int(words[19])


def environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return dict(one.split(b"=", 1) for one in file.read().split(b"\0") if b"=" in one)
    except OSError:
        return {}


def lives(pid, start):
    now = stat(pid)
    return now is not None and now[3] == start and now[0] not in (b"Z", b"X")


def marked(directory):
    """All processes that a supervisor of this check left, and itself where it runs."""
    mark = directory.encode()
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and environment(pid).get(b"JSUPERVISE_STORM") == mark]


def sampler(directory, stop):
    """Looks all the time until the file `stop` is there; writes what it saw as JSON."""
    mark = directory.encode()
    strangers = {pid for pid in os.listdir("/proc") if pid.isdigit()}
    known = {}  # (pid, start) -> service
    mains = {}  # (service, pid, start) -> [end of the first look, beginning of the last]
    wrong = {}  # pair of processes -> [what, first and last seen together]
    times = []
    while not os.path.exists(stop):
        began = time.monotonic()
        times.append(began)
        pids = {pid for pid in os.listdir("/proc") if pid.isdigit()}
        strangers &= pids
        living = {}  # service -> [(pid, start, group, is main)]
        for pid in pids - strangers:
            before = time.monotonic()
            now = stat(pid)
            if now is None or now[0] in (b"Z", b"X"):
                continue
            state, group, session, start = now
            service = known.get((pid, start))
            if service is None:
                mine = environment(pid)
                # The child of a spawn that has not executed yet has the environment of its parent. A mark alone is no service: see the keeper.
                if mine.get(b"JSUPERVISE_STORM") != mark or b"JSUPERVISE_SERVICE" not in mine or b"JSUPERVISE_RUN_ID" not in mine:
                    continue
                service = known[(pid, start)] = mine[b"JSUPERVISE_SERVICE"].decode()
            is_main = int(pid) == group == session
            living.setdefault(service, []).append((pid, start, group, is_main))
            if is_main:
                mains.setdefault((service, int(pid), start), [time.monotonic(), before])[1] = before
        for service, these in living.items():
            for i, (pid, start, group, is_main) in enumerate(these):
                for other, other_start, other_group, other_main in these[i + 1:]:
                    # They were seen one after the other. If the first still lives, both lived when the second was seen.
                    if (is_main or other_main) and group != other_group and lives(pid, start):
                        pair = sorted([(start, int(pid), group, is_main), (other_start, int(other), other_group, other_main)])
                        what = " lives beside ".join(f"{'main process' if main else 'worker'} {one} of group {its_group}"
                                                     for _, one, its_group, main in pair)
                        wrong.setdefault(f"{service}: {what}", [began, began])[1] = began
        time.sleep(max(0, STEP - (time.monotonic() - began)))
    with open(stop + ".json", "w") as file:
        json.dump({"mains": [[*key, *value] for key, value in mains.items()], "wrong": [f"{what}, from {first:.3f} to {last:.3f}" for what, (first, last) in wrong.items()], "times": times}, file)


# ---- clients ----

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, timeout=10):
    """(status, JSON). Raises OSError or HTTPException where there is no answer."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def client(directory, name, seed, stop):
    """One service, one request after the other; the ledger has a line for each."""
    chance = random.Random(seed)
    path = f"{directory}/run/control.sock"
    with open(f"{directory}/ledger.{name}", "w") as ledger:
        while not os.path.exists(stop):
            action = chance.choice(["stop", "stop", "start", "restart"])
            waits = chance.random() < 0.7
            line = {"action": action, "waits": waits, "sent": time.monotonic()}
            try:
                status, answer = ask(path, "POST", f"/v1/services/{name}/{action}?wait={'true' if waits else 'false'}&timeout=5s")
                line["status"] = status
                line["recorded"] = answer.get("recorded", False)
                line["done"] = status == 200 and answer["results"][0]["done"]
                line["answer"] = answer
            except (OSError, http.client.HTTPException, ValueError) as e:
                line["problem"] = repr(e)
            line["answered"] = time.monotonic()
            ledger.write(json.dumps(line) + "\n")
            ledger.flush()
            # What is stopped is left so for longer, so that it is down over kills.
            time.sleep(chance.uniform(0, 3) if action == "stop" and chance.random() < 0.5 else chance.uniform(0, 0.2))


def beside(function, *arguments):
    """Runs it in a process of its own."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function(*arguments)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


# ---- the supervisor ----

class Storm:
    def __init__(self, program, directory, seed):
        self.program, self.directory = program, directory
        self.chance = random.Random(seed)
        self.state = f"{directory}/state"
        self.path = f"{directory}/run/control.sock"
        self.process = None
        self.kills = []  # one for each: when, when the next was started, what the journal said meanwhile
        self.took = []  # seconds from a start to the first answer
        self.counted = {}  # service -> restarts in the journal
        self.starting = 0

    def launch(self):
        with open(f"{self.directory}/out", "ab") as out:
            self.process = subprocess.Popen(
                [self.program, "run", f"{self.directory}/services.yml", "--state-dir", self.state, "--runtime-dir", f"{self.directory}/run"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=dict(os.environ, JSUPERVISE_STORM=self.directory))
        self.launched = time.monotonic()
        if self.kills:
            self.kills[-1]["next"] = self.launched

    def status(self):
        """Of the supervisor that we started last; None where it does not answer (yet)."""
        try:
            code, answer = ask(self.path, "GET", "/v1/status")
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return answer if code == 200 and answer["supervisor"]["pid"] == self.process.pid else None

    def must_live(self):
        if self.process.poll() is not None:
            raise Wrong(f"the supervisor {self.process.pid} ended by itself: {self.process.returncode}")

    def wait_for_answer(self):
        while time.monotonic() < self.launched + 60:
            status = self.status()
            if status:
                self.took.append(time.monotonic() - self.launched)
                return status
            self.must_live()
            time.sleep(0.005)
        raise Wrong("no answer within a minute of its start")

    def wait_for_an_end(self):
        """Until a service says that it is about to end; at most a second."""
        files = glob.glob(f"{self.directory}/load/runs/*")
        sizes = {file: os.path.getsize(file) for file in files}
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for file in files:
                size = os.path.getsize(file)
                if size > sizes[file]:
                    with open(file) as text:
                        text.seek(sizes[file])
                        if "end " in text.read():
                            return
                    sizes[file] = size
            time.sleep(0.0005)

    def kill_at_random(self):
        way = self.chance.random()
        if way < 0.35:
            self.starting += 1
            usual = median(self.took) if self.took else 0.5
            time.sleep(self.chance.uniform(0, 1.3 * usual))
        elif way < 0.65:
            self.wait_for_answer()
            time.sleep(self.chance.uniform(0, 0.4))
            self.wait_for_an_end()
            # Its record, its burial, the backoff of 50 ms or more, and the next start with its record.
            time.sleep(self.chance.choice([self.chance.uniform(0, 0.005), self.chance.uniform(0.04, 0.12)]))
        else:
            self.wait_for_answer()
            time.sleep(self.chance.uniform(0, 1) if way < 0.95 else self.chance.uniform(1, 4))
        self.must_live()
        at = time.monotonic()
        self.process.kill()
        self.process.wait()
        self.kills.append({"at": at, "dead": time.monotonic(), "next": None, "journal": self.read_journal()})
        gap = self.chance.random()
        if gap > 0.5:
            time.sleep(self.chance.uniform(0, 0.2) if gap < 0.8 else self.chance.uniform(0.2, 0.8))

    def read_journal(self):
        """The last run and the number of restarts of each service, as they are on the disk."""
        last = {}
        for file in glob.glob(f"{self.state}/journal/*"):
            name = os.path.basename(file)
            if name.endswith(".new"):
                continue
            if not name.endswith(".json"):
                raise Wrong(f"a record was set aside: {name}")
            try:
                with open(file) as text:
                    record = json.load(text)
            except ValueError as e:
                raise Wrong(f"the journal does not decode: {file}: {e}") from None
            if name == "@supervisor.json":
                continue
            if record["name"] + ".json" != name:
                raise Wrong(f"{file} is about {record['name']}")
            service = record["name"]
            last[service] = record.get("process", record.get("last_run", {})).get("run_id")
            if service in MORTAL and record["restarts"] < self.counted.get(service, 0):
                raise Wrong(f"{service}: {self.counted[service]} restarts became {record['restarts']}")
            self.counted[service] = record["restarts"]
        return last

    def settle(self):
        """No more ends, no more lines: then the runs can be counted while all run."""
        open(f"{self.directory}/load/calm", "w").close()
        end = time.monotonic() + 30
        self.wait_for_answer()
        while True:
            status = self.status()
            if status:
                these = {service["name"]: service for service in status["services"]}
                if all(self.rests(these[name]) for name in [*MORTAL, *STEADY]) and all(self.as_wanted(these[name]) for name in OPERATED):
                    return these
            if time.monotonic() > end:
                raise Wrong(f"it does not settle: {json.dumps(status)}")
            self.must_live()
            time.sleep(0.05)

    def rests(self, service):
        if service["state"] != "RUNNING" or not service["pid"]:
            return False
        starts, _ = read_runs(self.directory, service["name"])
        return service["run_id"] in starts and time.monotonic() > self.launched + 2

    def as_wanted(self, service):
        return service["state"] == ("RUNNING" if service["wanted"] == "up" else "STOPPED")


# ---- what came out ----

def read_runs(directory, service):
    """What its runs wrote: {run: (pid, start time)} in order, and {run: (how, when)}."""
    starts, ends = {}, {}
    try:
        with open(f"{directory}/load/runs/{service}") as file:
            for line in file:
                words = line.split()
                if words[0] == "start":
                    starts[words[1]] = (int(words[2]), int(words[3]))
                else:
                    ends[words[1]] = (words[2].replace("-", " "), float(words[3]))
    except FileNotFoundError:
        pass
    return starts, ends


def order(run):
    """Of run ids: by the life of the supervisor, then by number."""
    _, life, number = run.split("-")
    return int(life, 16), int(number.split(".")[0], 16)


class Judge:
    def __init__(self, storm, sample, final, record):
        self.directory, self.kills, self.sample, self.final, self.record = storm.directory, storm.kills, sample, final, record
        self.state = storm.state
        self.faults = []
        # Start times of processes count from the boot and include sleep.
        self.boot = time.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def fault(self, text):
        self.faults.append(text)

    def all(self):
        facts = [self.one_at_a_time(), self.the_steady(), self.restarts(), self.operators(), self.lines(), self.events()]
        if os.path.exists(f"{self.directory}/load/wrong"):
            with open(f"{self.directory}/load/wrong") as file:
                for line in file:
                    self.fault("a program could not write: " + line.strip())
        with open(f"{self.directory}/out", errors="replace") as file:
            for line in file:
                if re.search(r"Exception|AssertionError|\tat io\.jsupervise|bug of ours", line):
                    self.fault("the supervisor said: " + line.strip())
        return facts

    def one_at_a_time(self):
        for text in self.sample["wrong"]:
            self.fault(text)
        times = self.sample["times"]
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        return (f"{len(times)} samples of /proc, every {median(gaps) * 1000:.0f} ms (99 of 100 within {gaps[len(gaps) * 99 // 100] * 1000:.0f} ms), "
                f"{len(self.sample['mains'])} main processes: never two of a service, never a worker of the last run beside the next")

    def the_steady(self):
        for service in STEADY:
            pids = [main[1] for main in self.sample["mains"] if main[0] == service]
            starts, _ = read_runs(self.directory, service)
            if len(pids) != 1 or len(starts) != 1:
                self.fault(f"{service} was {len(pids)} processes ({pids}) and {len(starts)} runs instead of one")
            elif self.final[service]["pid"] != pids[0] or self.final[service]["restarts"] != 0:
                self.fault(f"{service}: process {pids[0]} is shown as {self.final[service]['pid']}")
        return f"{len(STEADY)} that never end: the same process all the time"

    def restarts(self):
        runs = unseen_runs = unseeable = unknown = 0
        for service in MORTAL:
            starts, ends = read_runs(self.directory, service)
            runs += len(starts)
            for run in list(starts)[:-1]:
                if run not in ends:
                    self.fault(f"{service}: run {run} was ended by somebody")
            if list(starts) != sorted(starts, key=order):
                self.fault(f"{service}: its runs are not in the order of their names")
            counted = self.final[service]["restarts"]
            unseen = self.unseen(service, starts, ends)
            missing = len(starts) - 1 - counted
            if not 0 <= missing <= len(unseen):
                self.fault(f"{service}: {len(starts)} runs, but {counted} restarts are counted; it may have missed {len(unseen)}: {unseen}")
            unseen_runs += missing
            unseeable += len(unseen)
            unknown += self.ends_agree(service, starts, ends, unseen)
        return (f"{runs} runs of {len(MORTAL)} that end by themselves, all restarts counted but {unseen_runs} "
                f"(of {unseeable} that were begun in the instant of a kill, and over before the next start); of their last 20 ends {unknown} could not be observed")

    def unseen(self, service, starts, ends):
        """Runs that no record knows: begun before a kill and not recorded then, and ended before the next supervisor could look."""
        unseen = []
        for i, kill in enumerate(self.kills):
            if service not in kill["journal"] and i > 0:
                self.fault(f"{service}: no record after kill {i + 1}") if any(service in k["journal"] for k in self.kills[:i]) else None
            recorded = kill["journal"].get(service)
            for run, (_, ticks) in starts.items():
                began = ticks / 100 + self.boot
                if began < kill["dead"] and (recorded is None or order(run) > order(recorded)) and run in ends \
                        and not any(k["journal"].get(service) == run for k in self.kills[i + 1:]) and run not in unseen \
                        and kill["next"] is not None and ends[run][1] < kill["next"] + 5:
                    unseen.append(run)
                    if kill["at"] - began > 0.5:
                        self.fault(f"{service}: run {run} was not recorded {kill['at'] - began:.3f} s after its start")
        return unseen

    def ends_agree(self, service, starts, ends, unseen):
        """The last 20 ends of the journal are those that happened; what could not be observed may be any. How many are unknown."""
        told = []
        for end in self.record[service]["ends"]:
            told.append(None if end.get("unknown") else f"exit {end['code']}" if "code" in end else end.get("signal"))
        happened = [(ends[run][0], run in unseen) for run in starts if run in ends]

        def agree(i, j):
            # From the youngest on: i of those told and j of those that happened are left.
            while i > 0:
                if j == 0:
                    return False
                how, may_miss = happened[j - 1]
                if may_miss and agree(i, j - 1):
                    return True
                if told[i - 1] is not None and told[i - 1] != how:
                    return False
                i, j = i - 1, j - 1
            return True

        if not agree(len(told), len(happened)):
            self.fault(f"{service}: its ends are told as {told}, but were {[how for how, _ in happened[-22:]]}")
        return told.count(None)

    def operators(self):
        answered = lost = held = 0
        for service in OPERATED:
            with open(f"{self.directory}/ledger.{service}") as file:
                ledger = [json.loads(line) for line in file]
            mains = [(pid, ticks / 100 + self.boot, first, last) for name, pid, ticks, first, last in self.sample["mains"] if name == service]
            decided = None
            for i, line in enumerate(ledger):
                if "problem" in line:
                    lost += 1
                    decided = None
                    continue
                answered += 1
                if line["status"] != 200 or not line["recorded"]:
                    self.fault(f"{service}: {line['action']} was answered {line['status']}: {line['answer']}")
                    continue
                decided = "down" if line["action"] == "stop" else "up"
                if decided == "up":
                    continue
                begin, end = line["answered"], ledger[i + 1]["sent"] if i + 1 < len(ledger) else self.sample["times"][-1]
                held += sum(begin < kill["at"] < end for kill in self.kills)
                for pid, started, first, last in mains:
                    if line["waits"] and line["done"] and first < end and last > begin:
                        self.fault(f"{service}: stopped at {begin:.3f}, but process {pid} (started {started:.2f}) lived from {first:.3f} "
                                   f"to {last:.3f}; the next request was at {end:.3f}")
                    # A start that was on its way comes and is ended at once; nothing new begins, least of all by the next supervisor.
                    elif begin + 0.1 < started < end - 0.02 and (started > begin + 2 or any(begin < kill["at"] < started for kill in self.kills)):
                        self.fault(f"{service}: stopped at {begin:.3f}, but process {pid} was started at {started:.2f}, before {end:.3f}")
            if decided and self.final[service]["wanted"] != decided:
                self.fault(f"{service}: asked for {decided}, but wanted is {self.final[service]['wanted']}")
            if self.final[service]["restarts"] != 0:
                self.fault(f"{service}: what clients did counts as {self.final[service]['restarts']} restarts: {self.record[service]['ends']}")
        if len(self.kills) >= 20 and held == 0:
            self.fault("nothing was stopped while the supervisor was killed: that was not tried")
        return f"{answered} requests answered, {lost} lost with their supervisor; what was stopped stayed so over {held} kills"

    def lines(self):
        count = files = 0
        for service in [*MORTAL, *STEADY, *OPERATED]:
            if service == "pool":
                continue
            starts, _ = read_runs(self.directory, service)
            for stream, end in ((1, ".log"), (2, ".err.log")):
                if stream == 2 and service not in ("slow", "stamped"):
                    continue
                found, used = self.read_log(service, f"{self.state}/logs/{service}{end}")
                files += used
                count += sum(found.values())
                for run in starts:
                    self.compare(service, run, stream, found.pop(run, 0))
                for run in found:
                    self.fault(f"{service}: lines of a run that never was: {run}")
        return f"{count} numbered lines in {files} files: each once, in order"

    def compare(self, service, run, stream, found):
        try:
            with open(f"{self.directory}/load/truth/{run}.{stream}", "rb") as file:
                begun, done = struct.unpack("qq", file.read(16).ljust(16, b"\0"))  # short: killed before it had said anything
        except FileNotFoundError:
            begun = done = 0
        if not done <= found <= begun:
            self.fault(f"{service}: run {run} wrote {done} lines on {stream} (and began {begun}), but {found} are in the log")

    def read_log(self, service, path):
        """{run: its last line}, after all were found to follow one another; and the number of files."""
        parts = {}
        for file in glob.glob(glob.escape(path) + ".*"):
            name = re.fullmatch(r"\.(\d+)(\.gz)?", file[len(path):])
            if file == path + ".gz.new":
                continue  # of a compression that was killed; the next one begins it anew
            if not name:
                self.fault(f"what is {file}?")
            elif int(name[1]) not in parts:
                parts[int(name[1])] = file
            else:
                # A kill came after the one was made and before the other was removed; both are whole.
                plain, packed = sorted([file, parts[int(name[1])]], key=len)
                with open(plain, "rb") as one, gzip.open(packed, "rb") as other:
                    if one.read() != other.read():
                        self.fault(f"{plain} and {packed} differ")
        found, run, number = {}, None, 0
        before = len(self.faults)
        all_files = [parts[n] for n in sorted(parts, reverse=True)] + [path] * os.path.exists(path)
        for file in all_files:
            with (gzip.open if file.endswith(".gz") else open)(file, "rb") as text:
                for line in text:
                    line = line.removesuffix(b"\n")
                    if service == "stamped":
                        stamp = STAMP.match(line)
                        if not stamp:
                            self.fault(f"{file}: no stamp: {line[:120]!r}")
                            continue
                        line = line[stamp.end():]
                    words = line.split(b" ")
                    if len(words) != 3 or not words[1].isdigit() or words[2] != b"x" * (int(words[1]) % 61):
                        self.fault(f"{file}: a broken line after {run} {number}: {line[:200]!r}")
                        continue
                    if words[0] != run:
                        run = words[0]
                        number = 0
                        if run.decode() in found:
                            self.fault(f"{file}: lines of {run.decode()} come again: {line[:120]!r}")
                            number = found[run.decode()]
                    if int(words[1]) != number + 1:
                        self.fault(f"{file}: after line {number} of {run.decode()} comes {int(words[1])}")
                    number = int(words[1])
                    found[run.decode()] = number
                    if len(self.faults) > before + 100:
                        return found, len(all_files)
        return found, len(all_files)

    def events(self):
        last = count = adopted = 0
        path = f"{self.state}/events.ndjson"
        for file in [*(f"{path}.{n}" for n in range(5, 0, -1)), path]:
            if not os.path.exists(file):
                continue
            with open(file, "rb") as text:
                for line in text:
                    try:
                        event = json.loads(line)
                    except ValueError:
                        self.fault(f"{file}: a broken event after {last}: {line[:200]!r}")
                        continue
                    if event["seq"] <= last:
                        self.fault(f"event {event['seq']} comes after {last}: {line[:200]!r}")
                    last = event["seq"]
                    count += 1
                    adopted += event["event"] == "adopted"
                    if event["event"] in BAD_EVENTS or event.get("signal") == "SIGPIPE":
                        self.fault(f"event {line[:300].decode(errors='replace').strip()}")
        if adopted == 0:
            self.fault("nothing was ever adopted: that was not tried")
        return f"{count} events, {adopted} of them adoptions"


def run(arguments):
    directory = f"{arguments.directory}/storm"
    for name in ("", "/load", "/load/runs", "/load/truth"):
        os.mkdir(directory + name)
    with open(f"{directory}/services.yml", "w") as file:
        file.write(services_file(directory, arguments.kills))
    storm = Storm(arguments.program, directory, arguments.seed)
    stops = {name: f"{directory}/stop.{name}" for name in ("sampler", "clients")}
    helpers = []
    began = time.monotonic()
    try:
        looking = beside(sampler, directory, stops["sampler"])
        helpers.append(looking)
        clients = [beside(client, directory, name, arguments.seed + i, stops["clients"]) for i, name in enumerate(OPERATED)]
        helpers += clients
        while len(storm.kills) < arguments.kills and (not arguments.seconds or time.monotonic() < began + arguments.seconds):
            storm.launch()
            storm.kill_at_random()
        storm.launch()
        storm.wait_for_answer()
        open(stops["clients"], "w").close()
        for pid in clients:
            if os.waitpid(pid, 0)[1] != 0:
                raise Wrong("a client failed")
            helpers.remove(pid)
        final = storm.settle()
        open(stops["sampler"], "w").close()
        if os.waitpid(looking, 0)[1] != 0:
            raise Wrong("the sampler failed")
        helpers.remove(looking)
        storm.read_journal()
        record = {}
        for name in final:
            with open(f"{storm.state}/journal/{name}.json") as file:
                record[name] = json.load(file)
        storm.process.send_signal(signal.SIGTERM)
        if storm.process.wait(30) != 0:
            raise Wrong(f"asked to end, it ended with {storm.process.returncode}")
        left = marked(directory)
        took = time.monotonic() - began
        with open(stops["sampler"] + ".json") as file:
            judge = Judge(storm, json.load(file), final, record)
        facts = judge.all()
        for pid in left:
            judge.fault(f"left behind: {pid} {environment(pid).get(b'JSUPERVISE_SERVICE')}")
        for text in sorted(judge.faults, key=lambda text: " lives beside " in text)[:40]:
            print("  WRONG", text)
        if judge.faults:
            raise Wrong(f"{len(judge.faults)} faults")
        print(f"  ok    {len(storm.kills)} kills in {took:.0f} s, {storm.starting} of them aimed at a start (first answer after {median(storm.took) * 1000:.0f} ms)")
        for text in facts:
            print("  ok   ", text)
    finally:
        for pid in helpers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if storm.process and storm.process.poll() is None:
            storm.process.kill()
            storm.process.wait()
        for pid in marked(directory):
            os.kill(pid, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=int, help="no more kills after that, however many there were")
    parser.add_argument("program")
    parser.add_argument("directory")
    arguments = parser.parse_args()
    print(f"        seed {arguments.seed}, {arguments.kills} kills", flush=True)
    try:
        run(arguments)
    except Wrong as e:
        print(f"  WRONG {e} (seed {arguments.seed})", flush=True)
        sys.exit(1)


main()
