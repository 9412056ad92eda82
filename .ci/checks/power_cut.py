"""Power cuts: a file system in an image is shut down without being flushed, again and again, while a supervisor writes its journal to it.

usage: power_cut.py JSUPERVISE WORK CUTS SEED

WORK/disk.img has an ext4, and is mounted on WORK/d/state by us; all that tells what must be there afterwards lies outside of it. A cut is
FS_IOC_SHUTDOWN, what `xfs_io -x -c shutdown` does: from then on nothing reaches the disk, with flag 2 not even what the file system's own
journal has not written yet; with flag 1 it is, but the content of files is not. Then everything that runs is killed, and the disk is
mounted again. What the supervisor had acknowledged before a cut has to be there:

* every record decodes, none was set aside, and the next supervisor starts on it;
* a process started again means that the death of the one before is recorded (the service itself counts its starts, outside of the disk),
  and so does an event `started`: restarts are never less than that, nor more than there were deaths;
* the answer `recorded: true` to a stop or start means that it is remembered;
* the identity of the state directory stays.

A sync that was forgotten hides behind the next one of anything else on the same disk. So every third cut comes in silence: all but one
service are stopped, that one is stopped and started, and the answer is the last thing that happens before the cut.
"""

import fcntl
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
import threading
import time

FS_IOC_SHUTDOWN = 0x8004587D
LOG_FLUSHED, NOTHING_FLUSHED = 1, 2
CRASHERS = [f"crash-{i}" for i in range(6)]
HERD = [f"herd-{i}" for i in range(20)]
TOGGLED = ["toggled-0", "toggled-1"]
PATIENCE = 30


class Wrong(Exception):
    """The supervisor broke a promise."""


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, target, method="GET"):
    client = Unix(path)
    try:
        client.request(method, target)
        return json.loads(client.getresponse().read())
    finally:
        client.close()


def services(work):
    """Each start leaves a line with the pid in WORK/starts/NAME."""
    lines = ["defaults: {restart: always, backoff: {initial: 20ms, max: 20ms, jitter: 0}, ready: {delay: 0s}}", "services:"]
    for i, name in enumerate(CRASHERS):
        script = f"echo $$ >>{work}/starts/{name}; sleep 0.0{i + 2}; exit 1"
        lines.append(f"  {name}: {{shell: true, command: '{script}'}}")
    for name in HERD:
        script = f"echo $$ >>{work}/starts/{name}; exec sleep 1000"
        lines.append(f"  {name}: {{shell: true, command: '{script}', log: none}}")
    for name in TOGGLED:
        lines.append(f"  {name}: {{command: sleep 1000}}")
    return "\n".join(lines) + "\n"


class Life:
    """One supervisor, from its start to a cut, and what it acknowledged."""

    def __init__(self, jsupervise, work):
        self.socket = f"{work}/d/run/control.sock"
        self.starts = f"{work}/starts"
        self.before = {name: len(self.pids(name)) for name in CRASHERS + HERD}
        self.lock = threading.Lock()
        self.ending = False
        self.restarts = {}
        self.commanded = {}
        self.in_flight = {}
        self.told = open(f"{work}/d/out", "ab")
        self.told_before = self.told.tell()
        self.process = subprocess.Popen(
            [jsupervise, "run", f"{work}/services.yml", "--state-dir", f"{work}/d/state", "--runtime-dir", f"{work}/d/run"],
            stdout=self.told, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.threads = []

    def pids(self, name):
        try:
            with open(f"{self.starts}/{name}") as file:
                return [int(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def await_answers(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return ask(self.socket, "/v1/status")
            except OSError:
                if self.process.poll() is not None:
                    raise Wrong(f"the supervisor did not start: exit {self.process.returncode}")
                if time.monotonic() > end:
                    raise Wrong("the supervisor does not answer")
                time.sleep(0.02)

    def provoke(self):
        """Reads what it acknowledges and gives it something to record."""
        self.start_what_is_down()
        for work in (self.read_events, self.kill_herds, *[lambda name=name: self.toggle(name) for name in TOGGLED]):
            thread = threading.Thread(target=self.until_the_end, args=(work,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def start_what_is_down(self):
        """After a cut in silence. Not the others: a start by an operator that comes in a backoff is no restart, and not counted."""
        down = [one["name"] for one in ask(self.socket, "/v1/status")["services"] if one["wanted"] == "down"]
        down = [name for name in down if name in CRASHERS + HERD]
        if down:
            ask(self.socket, "/v1/start?" + "&".join(f"name={name}" for name in down), "POST")

    def until_the_end(self, work):
        try:
            work()
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            # It is killed by us; that it still lived until then is looked at there.
            pass

    def read_events(self):
        client = Unix(self.socket)
        client.request("GET", "/v1/events?follow=true")
        for line in client.getresponse():
            event = json.loads(line)
            if event["event"] == "started":
                with self.lock:
                    name = event["service"]
                    self.restarts[name] = max(self.restarts.get(name, 0), event["restarts"])

    def kill_herds(self):
        """Many deaths at once, so that batches of many records are cut as well."""
        killed = dict(self.before)
        while not self.ending:
            for name in HERD:
                pids = self.pids(name)
                for pid in pids[killed[name]:]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                killed[name] = len(pids)
            time.sleep(0.15)

    def toggle(self, name):
        verb = "stop"
        while True:
            with self.lock:
                if self.ending:
                    return
                self.in_flight[name] = verb
            reply = ask(self.socket, f"/v1/services/{name}/{verb}", "POST")
            with self.lock:
                if reply.get("recorded"):
                    self.commanded[name] = verb
                    del self.in_flight[name]
            verb = "start" if verb == "stop" else "stop"

    def toggle_in_silence(self, times):
        """What the last answer says, and nothing happens after it."""
        ask(self.socket, "/v1/stop?wait=true&" + "&".join(f"name={name}" for name in CRASHERS + HERD + TOGGLED), "POST")
        self.ending = True
        for i in range(times):
            verb = "start" if i % 2 == 0 else "stop"
            answer = ask(self.socket, f"/v1/services/{TOGGLED[0]}/{verb}?wait=true", "POST")
        if not answer.get("recorded") or not answer["results"][0]["done"]:
            raise Wrong(f"{verb} of {TOGGLED[0]} is answered with {answer}")
        return answer["results"][0]["state"]

    def acknowledged(self):
        """What was acknowledged up to now; from here on nothing more is asked for."""
        with self.lock:
            self.ending = True
            starts = {name: len(self.pids(name)) - self.before[name] for name in CRASHERS + HERD}
            return starts, dict(self.restarts), dict(self.commanded), dict(self.in_flight)

    def was_stale(self):
        """Only what it said up to a cut counts; after it the journal is stale indeed."""
        with open(self.told.name, "rb") as told:
            told.seek(self.told_before)
            return b"journal-stale" in told.read()

    def is_dead(self):
        return self.process.poll() is not None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.told.close()


class Disk:
    def __init__(self, work):
        self.image = f"{work}/disk.img"
        self.mounted_on = f"{work}/d/state"
        self.mark = f"JSUPERVISE_CHECK={work}".encode()

    def mount(self, options):
        subprocess.run(["mount", "-o", f"loop,{options}", self.image, self.mounted_on], check=True)

    def cut(self, flag):
        fd = os.open(self.mounted_on, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, struct.pack("I", flag))
        finally:
            os.close(fd)

    def kill_users(self):
        """A power cut ends all processes: what a supervisor of ours started, and whatever has something of this disk open."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    environment = file.read().split(b"\0")
                links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                continue
            ours = self.mark in environment and any(
                one.startswith((b"JSUPERVISE_RUN_ID=", b"JSUPERVISE_KEEPER=")) for one in environment
            )
            if (ours or any(link.startswith(self.mounted_on + "/") for link in links)) and int(pid) != os.getpid():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def umount(self):
        end = time.monotonic() + PATIENCE
        while subprocess.run(["umount", self.mounted_on], stderr=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > end:
                raise Wrong("the disk stays busy")
            self.kill_users()
            time.sleep(0.02)

    def records(self):
        """Every record, as strictly decoded as the first look of a reader can; what it means is tried by the next start."""
        folder = f"{self.mounted_on}/journal"
        if not os.path.isdir(folder):
            return {}
        records = {}
        for name in os.listdir(folder):
            with open(f"{folder}/{name}", "rb") as file:
                text = file.read()
            if name.endswith(".json"):
                try:
                    record = json.loads(text)
                except ValueError as e:
                    raise Wrong(f"{name} does not decode: {e}: {text[:200]!r}")
                # Behind the text, blanks up to the end of a block.
                if not text.rstrip(b" \n").endswith(b"}") or not text.endswith(b"\n"):
                    raise Wrong(f"{name} is torn: {text[-50:]!r}")
                records[name[:-len(".json")]] = record
            elif not name.endswith(".json.new"):
                raise Wrong(f"{name} in the journal")
        return records

    def identity(self):
        try:
            with open(f"{self.mounted_on}/lock") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def started(self):
        """The highest count in the events that reached the disk, by service."""
        counts = {}
        for name in os.listdir(self.mounted_on):
            if name.startswith("events.ndjson"):
                with open(f"{self.mounted_on}/{name}", "rb") as file:
                    for line in file:
                        if b'"event":"started"' in line and line.endswith(b"}\n"):
                            event = json.loads(line)
                            counts[event["service"]] = max(counts.get(event["service"], 0), event["restarts"])
        return counts


class Proof:
    def __init__(self, jsupervise, work, seed):
        self.jsupervise, self.work = jsupervise, work
        self.random = random.Random(seed)
        self.disk = Disk(work)
        self.identity = None
        self.found = {}
        self.wanted = {}
        self.proved = dict.fromkeys(("restarts", "commands", "stale", "during a start", "silent"), 0)

    def run(self, cuts):
        with open(f"{self.work}/services.yml", "w") as file:
            file.write(services(self.work))
        os.makedirs(f"{self.work}/starts")
        self.disk.mount("noauto_da_alloc")
        for number in range(1, cuts + 1):
            try:
                if number % 3 == 0:
                    self.silent_cut()
                else:
                    self.one_cut()
            except Wrong as e:
                raise Wrong(f"cut {number} of {cuts}: {e}")
        self.last_life()

    def silent_cut(self):
        life = Life(self.jsupervise, self.work)
        try:
            self.check_answer(life.await_answers())
            self.identity = self.disk.identity()
            state = life.toggle_in_silence(self.random.randrange(1, 5))
            self.disk.cut(NOTHING_FLUSHED)
        finally:
            life.kill()
            self.disk.kill_users()
        self.disk.umount()
        self.disk.mount("noauto_da_alloc")
        records = self.disk.records()
        if records[TOGGLED[0]]["state"] != state:
            raise Wrong(f"{TOGGLED[0]} was answered to be {state} and recorded; the record says {records[TOGGLED[0]]}")
        self.found = {name: record["restarts"] for name, record in records.items() if name in CRASHERS + HERD}
        self.wanted = {name: records[name]["wanted"] for name in TOGGLED}
        self.proved["silent"] += 1

    def one_cut(self):
        life = Life(self.jsupervise, self.work)
        try:
            if self.random.random() < 0.25:
                self.proved["during a start"] += 1
                time.sleep(self.random.uniform(0.05, 0.8))
            else:
                self.check_answer(life.await_answers())
                self.identity = self.disk.identity()
                life.provoke()
                time.sleep(self.random.uniform(0.02, 1.2))
            acknowledged = life.acknowledged()
            stale = life.was_stale()
            if life.is_dead():
                raise Wrong(f"the supervisor died: exit {life.process.returncode}")
            flag = self.random.choice((LOG_FLUSHED, NOTHING_FLUSHED, NOTHING_FLUSHED))
            self.disk.cut(flag)
            # It may notice, or be killed before it does.
            time.sleep(self.random.choice((0, 0, 0.1)))
        finally:
            life.kill()
            self.disk.kill_users()
            for thread in life.threads:
                thread.join(PATIENCE)
        died = {name: len(life.pids(name)) - life.before[name] for name in CRASHERS + HERD}
        self.disk.umount()
        # Without auto_da_alloc ext4 does not sync for a program that forgot to; ext4(5).
        self.disk.mount(self.random.choice(("noauto_da_alloc", "noauto_da_alloc,data=writeback")))
        self.check_disk(acknowledged, died, stale)

    def check_answer(self, status):
        journal = status["supervisor"]["journal"]
        if journal.get("set_aside"):
            raise Wrong(f"records were set aside: {journal}")
        for service in status["services"]:
            if service["restarts"] < self.found.get(service["name"], 0):
                raise Wrong(f"{service['name']} has {service['restarts']} restarts, {self.found[service['name']]} were recorded")

    def check_disk(self, acknowledged, died, stale):
        starts, told, commanded, in_flight = acknowledged
        records = self.disk.records()
        if self.identity not in (None, self.disk.identity()):
            raise Wrong(f"the identity was {self.identity!r} and is {self.disk.identity()!r}")
        if stale:
            self.proved["stale"] += 1
        for name in CRASHERS + HERD:
            there = records[name]["restarts"] if name in records else 0
            before = self.found.get(name, 0)
            if not stale:
                for what, least in (("was started", before + max(0, starts[name] - 1)), ("events told of", told.get(name, 0)),
                                    ("events on the disk tell of", self.disk.started().get(name, 0)), ("was recorded", before)):
                    if there < least:
                        raise Wrong(f"{name}: {there} restarts are recorded, {least} {what}")
                self.proved["restarts"] += there - before
            # One more than it has started since: what the cut before has ended counts as well.
            if there > before + died[name] + 1:
                raise Wrong(f"{name}: {there} restarts are recorded after {before} and {died[name]} starts")
            self.found[name] = there
        for name in TOGGLED:
            self.check_wanted(name, records.get(name), commanded.get(name), in_flight.get(name), stale)

    def check_wanted(self, name, record, verb, in_flight, stale):
        there = record["wanted"] if record else "up"
        allowed = {"stop": "down", "start": "up", None: self.wanted.get(name, "up")}
        right = {allowed[verb]} | ({allowed[in_flight]} if in_flight else set())
        if there not in right and not stale:
            raise Wrong(f"{name} is wanted {there}; acknowledged: {verb}, under way: {in_flight}, before: {self.wanted.get(name)}")
        if verb:
            self.proved["commands"] += 1
        self.wanted[name] = there

    def last_life(self):
        """After the last cut it starts, supervises, and ends in order."""
        life = Life(self.jsupervise, self.work)
        try:
            self.check_answer(life.await_answers())
            life.start_what_is_down()
            end = time.monotonic() + PATIENCE
            while not all(len(life.pids(name)) > life.before[name] for name in CRASHERS + HERD):
                if time.monotonic() > end:
                    raise Wrong("not every service was started after the last cut")
                time.sleep(0.05)
            life.process.terminate()
            if life.process.wait(PATIENCE) != 0:
                raise Wrong(f"the last supervisor ended with {life.process.returncode}")
        finally:
            life.kill()
        self.disk.kill_users()
        self.disk.umount()


def main():
    jsupervise, work, cuts, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    proof = Proof(jsupervise, work, seed)
    began = time.monotonic()
    try:
        proof.run(cuts)
    except Wrong as e:
        print(f"  FAIL  {e} (seed {seed})", flush=True)
        return 1
    said = re.sub("[{}']", "", str(proof.proved))
    print(f"  ok    {cuts} power cuts in {time.monotonic() - began:.0f} s (seed {seed}): {said}", flush=True)
    if proof.proved["restarts"] < cuts or proof.proved["stale"] > cuts / 2:
        print("  FAIL  that is too little to prove anything", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
