# SPDX-License-Identifier: BSD-2-Clause
"""python case: with whose rights source lines are read. A target chooses which file its code says
it is in, so the report must not show one that the target cannot read itself."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import DEADLINE, PROGRAMS, Recording, check, read_until

python, case = sys.argv[1:3]
NOBODY = 65534
MARK = "what only its owner may read"
LAST_PID = "/proc/sys/kernel/ns_last_pid"


class Subject:
    """rights.py, run as root or as nobody, with a file that only its owner can read."""

    def __init__(self, owner, uid, *steps, source=None):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        self.source = source or os.path.join(self.folder, "source.py")
        if not source:
            with open(self.source, "w") as file:
                file.write("def make():  # %s\n" % MARK * 5)
            os.chown(self.source, owner, owner)
            os.chmod(self.source, 0o600)
        become = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"] if uid else []
        self.process = subprocess.Popen(
            [*become, python, os.path.join(PROGRAMS, "rights.py"), self.source, *steps],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd="/")
        read_until(self.process.stdout, "ready", "rights.py")

    def go(self):
        self.process.stdin.write("go\n")

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def status(pid, name):
    with open("/proc/%d/status" % pid) as file:
        return next(line.split()[1:] for line in file if line.startswith(name + ":"))


def wait_for(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        check(time.monotonic() < end, "what was waited for did not come")
        time.sleep(0.05)


def judge(subject, report, shown):
    check("%s:3 (make)" % subject.source in report, "its line is not there:\n", report)
    check((MARK in report) == shown, "the file's text is", "not" if shown else "", "there:\n", report)
    subject.end()


def alive(owner, uid, shown, *steps):
    subject = Subject(owner, uid, *steps, "allocate", "say")
    recording = Recording("-p", str(subject.process.pid))
    subject.go()
    read_until(subject.process.stdout, "done", "rights.py")
    judge(subject, recording.stop(), shown)


def ended(owner, uid, shown, *steps):
    subject = Subject(owner, uid, *steps, "allocate", "end")
    recording = Recording("-p", str(subject.process.pid))
    subject.go()
    judge(subject, recording.wait(), shown)


def setuid():
    """nobody executes a setuid program of root's."""
    subject = Subject(0, NOBODY, "allocate", "say", "setuid")
    other = Subject(0, 0, "say")	# keeps the recording running
    recording = Recording("-p", "%d,%d" % (subject.process.pid, other.process.pid))
    subject.go()
    read_until(subject.process.stdout, "done", "rights.py")
    subject.go()
    wait_for(lambda: status(subject.process.pid, "Uid")[1] == "0")
    report = recording.stop()
    other.end()
    judge(subject, report, False)


def reused():
    """A process of nobody's ends, and a process of root's gets its id."""
    subject = Subject(0, NOBODY, "allocate", "end")
    other = Subject(0, 0, "say")
    recording = Recording("-p", "%d,%d" % (subject.process.pid, other.process.pid))
    subject.go()
    pid = subject.process.pid
    subject.process.wait(DEADLINE)
    for _ in range(1000):
        with open(LAST_PID, "w") as file:
            file.write(str(pid - 1))
        sleeper = subprocess.Popen(["sleep", "1000"])
        if sleeper.pid == pid:
            break
        sleeper.kill()
        sleeper.wait()
    check(sleeper.pid == pid, "the id was not given out again")
    check(status(pid, "Uid")[1] == "0", "it is not root's")
    report = recording.stop()
    sleeper.kill()
    sleeper.wait()
    other.end()
    judge(subject, report, False)


def silent():
    """A file on a file system that never answers blocks nothing."""
    server = subprocess.Popen([python, os.path.join(PROGRAMS, "silent_fs.py")], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    path = server.stdout.readline().strip()
    if path.startswith("skip"):
        print(path)
        return
    subject = Subject(0, 0, "allocate", "say", source=path)
    recording = Recording("-p", str(subject.process.pid))
    subject.go()
    read_until(subject.process.stdout, "done", "rights.py")
    report = recording.stop()
    check("%s:3 (make)" % path in report, report)
    subject.end()
    server.stdin.close()
    check(server.wait(DEADLINE) == 0, "the file system failed")


CASES = {
    "own": lambda: (alive(NOBODY, NOBODY, True), ended(NOBODY, NOBODY, True), alive(0, 0, True),
                    ended(0, 0, True)),
    "other": lambda: (alive(0, NOBODY, False), ended(0, NOBODY, False)),
    "dropped": lambda: (alive(0, 0, False, "drop"), ended(0, 0, False, "drop")),
    "setuid": setuid,
    "reused": reused,
    "silent": silent,
}
CASES[case]()
