# SPDX-License-Identifier: BSD-2-Clause
"""Runs targets, and pymemtop on them, and compares what they report."""
import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYMEMTOP = os.path.join(HERE, "..", "..", "pymemtop")
PROGRAMS = os.path.join(HERE, "..", "programs")
DEADLINE = float(os.environ.get("DEADLINE", 60))	# seconds; more under emulation
# Causes of loss that this hardware cannot avoid; what is lost may be missing from its line.
MAY_LOSE = os.environ.get("MAY_LOSE", "").split()
STATS = "/proc/sys/kernel/bpf_stats_enabled"


def read_until(stream, wanted, what):
    """Reads lines until one contains the wanted text. Returns all of them."""
    def expire(*_):
        raise TimeoutError

    lines = []
    # Not select(): it does not see what the stream has already buffered.
    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE)
    try:
        for line in iter(stream.readline, ""):
            lines.append(line)
            if wanted in line:
                return lines
    except TimeoutError:
        raise SystemExit("%s did not say %r in time, but:\n%s" % (what, wanted, "".join(lines)))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    raise SystemExit("%s ended without saying %r:\n%s" % (what, wanted, "".join(lines)))


@contextlib.contextmanager
def counted_programs():
    """Within this context, the kernel counts the programs' runs and their time."""
    with open(STATS) as file:
        before = file.read()
    with open(STATS, "w") as file:
        file.write("1")
    try:
        yield
    finally:
        with open(STATS, "w") as file:
            file.write(before)


def bpftool(*args):
    return json.loads(subprocess.run(["/usr/sbin/bpftool", "--json", *args],
                                     capture_output=True, text=True, check=True).stdout)


def ids_of(pid, what):
    """Returns the ids of a process's BPF maps or programs: others may be running. what: "map_id" or
    "prog_id"."""
    ids = set()
    for fd in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as file:
                ids.update(int(line.split()[1]) for line in file if line.startswith(what + ":"))
        except FileNotFoundError:   # closed meanwhile
            pass
    return ids


def program_counts(pid):
    """Returns the runs and nanoseconds of that pymemtop's programs so far, by name."""
    ids = ids_of(pid, "prog_id")
    return {p["name"]: (p.get("run_cnt", 0), p.get("run_time_ns", 0)) for p in bpftool("prog", "show")
            if p["id"] in ids}


def map_dump(pid, name):
    """Returns the elements of a map of that pymemtop."""
    ids = ids_of(pid, "map_id")
    wanted = [m["id"] for m in bpftool("map", "show") if m.get("name") == name and m["id"] in ids]
    check(len(wanted) == 1, "maps called", name, wanted)
    return bpftool("map", "dump", "id", str(wanted[0]))


def live_blocks(pid):
    """Returns how many live blocks that pymemtop keeps: taken slots of its table (struct
    block_slot: a key, 0 if it is free, and a value), and what the table had no slot for."""
    keys = [bucket["value"][slot:slot + 8] for bucket in map_dump(pid, "block_table")
            for slot in range(0, len(bucket["value"]), 16)]
    taken = sum(any(int(byte, 16) for byte in key) for key in keys)
    return taken + len(map_dump(pid, "blocks"))


def wait_for(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        check(time.monotonic() < end, "what was waited for did not come")
        time.sleep(0.1)


def interpreters():
    """The list of tests/tools/interpreters, new or as given: name, build, attributions, start."""
    if "INTERPRETERS" in os.environ:
        with open(os.environ["INTERPRETERS"]) as file:
            listed = file.read()
    else:
        listed = subprocess.run([os.path.join(HERE, "..", "tools", "interpreters")], stdout=subprocess.PIPE,
                                text=True, check=True).stdout
    return [line.split("\t") for line in listed.splitlines()]


class Interpreter:
    """A path, or chroot:ROOT:PATH for an interpreter with its own root."""

    def __init__(self, python):
        self.root, self.start, self.programs = "", [python], PROGRAMS
        if python.startswith("chroot:"):
            _, self.root, path = python.split(":")
            # Semaphores need a file system in memory. exec keeps the process id.
            os.makedirs(self.root + "/dev/shm", exist_ok=True)
            os.makedirs(self.root + "/proc", exist_ok=True)
            self.start = ["unshare", "--mount", "sh", "-c",
                          'mount -t tmpfs tmpfs "$0/dev/shm" && mount -t proc proc "$0/proc" && '
                          'exec chroot "$0" "$@"',
                          self.root, path]
            self.programs = "/programs"
            shutil.copytree(PROGRAMS, self.root + self.programs, dirs_exist_ok=True)

    def run(self, program, *args, env=None, stdout=subprocess.PIPE):
        path = program if os.path.isabs(program) else os.path.join(self.programs, program)
        return subprocess.Popen(
            [*self.start, path, *args], stdin=subprocess.PIPE, stdout=stdout, text=True,
            bufsize=1, env=dict(os.environ, PYTHONPATH=self.programs, LC_ALL="C.UTF-8",
                                PYTHONDONTWRITEBYTECODE="1", **(env or {})))


class Target:
    """A program of tests/programs, waiting at begin()."""

    def __init__(self, python, program, *args, env=None):
        interpreter = Interpreter(python)
        self.work = tempfile.mkdtemp(dir=interpreter.root + "/tmp")
        self.books = os.path.join(self.work, "books")
        inside = self.books[len(interpreter.root):]
        self.process = interpreter.run(program, *args, env=dict(env or {}, BOOKS=inside))
        self.pid = self.process.pid
        read_until(self.process.stdout, "ready", program)

    def go(self):
        self.process.stdin.write("go\n")

    def wait_done(self):
        read_until(self.process.stdout, "done", "the target")

    def run(self):
        """Lets the program run from begin() to finish()."""
        self.go()
        self.wait_done()

    def book_of(self, pid):
        with open("%s.%d" % (self.books, pid)) as file:
            return json.load(file)

    def pids(self):
        return sorted(int(name.split(".")[1]) for name in os.listdir(self.work)
                      if name.split(".")[-1].isdigit())

    def end(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.work)
        return self.process.returncode


class Recording:
    """A running pymemtop record, attached when the constructor returns."""

    def __init__(self, *args):
        self.work = tempfile.mkdtemp()
        self.path = os.path.join(self.work, "profile")
        self.process = subprocess.Popen(
            [PYMEMTOP, "record", "-v", "-o", self.path, *args], stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True, bufsize=1)
        # A check that fails must not leave one that records what others start.
        atexit.register(self.process.kill)
        self.messages = read_until(self.process.stderr, "pymemtop: recording", "pymemtop")

    def stop(self, signum=signal.SIGINT):
        """Ends the recording. Returns what it wrote."""
        self.process.send_signal(signum)
        return self.wait()

    def wait(self):
        self.messages += self.process.stderr.readlines()
        status = self.process.wait(DEADLINE)
        print("".join(line for line in self.messages if "the kernel skipped" in line), end="")
        if status:
            raise SystemExit("pymemtop: status %d\n%s" % (status, "".join(self.messages[-20:])))
        with open(self.path) as file:
            text = file.read()
        shutil.rmtree(self.work)
        return text


def record(python, program, *args):
    """Runs the program from begin() to finish() under pymemtop. Returns target and profile."""
    target = Target(python, program)
    recording = Recording("-p", str(target.pid), "-f", "json", *args)
    target.run()
    return target, json.loads(recording.stop())


def check(condition, *message):
    if not condition:
        raise SystemExit(" ".join(str(part) for part in message))


def is_hint(function):
    """What a thread without Python did, as one that starts, may be another thread's."""
    return function.endswith("[native thread, likely]")


def process_of(profile, pid):
    """The process's part; what is on a line only as a hint is nobody's there."""
    found = [p for p in profile["processes"] if p["pid"] == pid]
    check(len(found) == 1, "process", pid, "is there", len(found), "times")
    native = {"file": "[native]", "line": 0, "function": ""}
    for line in found[0]["lines"]:
        if is_hint(line["function"]):
            line.update(native)
    for stack in found[0]["stacks"]:
        if stack["frames"] and is_hint(stack["frames"][0]["function"]):
            stack["frames"] = [native]
    return found[0]


def may_lose(process):
    """Returns the number of lost events of kinds that this machine cannot help losing."""
    return sum(process["lost"][cause] for cause in MAY_LOSE)


def check_nothing_lost(process):
    lost = {cause: n for cause, n in process["lost"].items() if n and cause not in MAY_LOSE}
    check(not lost, "lost in process", process["pid"], lost)


def amounts_by_line(process):
    """Returns the amounts that the profile has for each line, over all its functions."""
    lines = {}
    for line in process["lines"]:
        row = lines.setdefault((line["file"], line["line"]), {
            "bytes": 0, "count": 0, "mapped_bytes": 0, "mapped_count": 0})
        row["bytes"] += line["outstanding_bytes"]
        row["count"] += line["outstanding_count"]
        row["mapped_bytes"] += line["mapped_bytes"]
        row["mapped_count"] += line["mapped_count"]
    return lines


def compare_books(book, process):
    """Each line of the books must be in the profile, to the byte and block. Direct mappings are
    only compared for lines that made some: any line can be the one that needs an arena."""
    found, wrong, missed = amounts_by_line(process), [], 0
    zero = {"bytes": 0, "count": 0, "mapped_bytes": 0, "mapped_count": 0}
    check(book["lines"], "the books of", process["pid"], "are empty")
    for row in book["lines"]:
        expected = {key: row[key] for key in zero if row["maps"] or not key.startswith("mapped")}
        got = found.get((row["file"], row["line"]), zero)
        got = {key: got[key] for key in expected}
        if got != expected:
            missed += expected["count"] - got["count"]
            wrong.append("%s:%d holds %s, not %s" % (row["file"], row["line"], expected, got))
    check(not wrong or 0 < missed <= may_lose(process), "process %d:\n" % process["pid"] + "\n".join(wrong))
