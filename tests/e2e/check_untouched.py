# SPDX-License-Identifier: BSD-2-Clause
"""python attribution [kill]: pymemtop leaves the target as it was, and never stops it."""
import re
import signal
import subprocess
import sys

from harness import Recording, Target, check

python, attribution, *how = sys.argv[1:]


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name)) as file:
        return file.read()


def maps(pid):
    """All mappings but the page in which the kernel single-steps instructions under a uprobe: the
    kernel maps it, and keeps it."""
    return [line for line in read(pid, "maps").splitlines() if "[uprobes]" not in line]


def files(pid):
    return subprocess.run(["ls", "-l", "--time-style=+", "/proc/%d/fd" % pid],
                          capture_output=True, text=True).stdout


def memory(pid, start, size):
    with open("/proc/%d/mem" % pid, "rb") as file:
        file.seek(start)
        return file.read(size)


def text(pid):
    """The executable bytes of all files that it maps."""
    found = {}
    for line in read(pid, "maps").splitlines():
        match = re.match(r"(\w+)-(\w+) r-xp .* (/.*)", line)
        if match:
            start, end = int(match[1], 16), int(match[2], 16)
            found[match[3], start] = memory(pid, start, end - start)
    return found


def semaphores(pid):
    """All semaphores of the interpreter, if it has markers and is not relocated."""
    notes = subprocess.run(["readelf", "-n", "/proc/%d/exe" % pid], capture_output=True,
                           text=True).stdout
    return [int.from_bytes(memory(pid, int(at, 16), 2), "little")
            for at in re.findall(r"Semaphore: (0x\w+)", notes) if int(at, 16)]


def status(pid, field):
    return re.search(r"^%s:\s*(.*)$" % field, read(pid, "status"), re.M)[1]


def snapshot(pid):
    return {"maps": maps(pid), "files": files(pid), "text": text(pid),
            "semaphores": semaphores(pid), "TracerPid": status(pid, "TracerPid")}


target = Target(python, "steady.py")
target.run()
before = snapshot(target.pid)
check(before["text"] and before["TracerPid"] == "0")
recording = Recording("-p", str(target.pid), "--attribution", attribution)
for _ in range(3):
    target.go()
    check(status(target.pid, "State")[0] in "RSD", "it is", status(target.pid, "State"))
    check(status(target.pid, "TracerPid") == "0", "it is traced")
    target.wait_done()
check(text(target.pid) != before["text"], "there was no probe in it at all")
if attribution == "usdt":
    check(sum(semaphores(target.pid)) == 3, "semaphores while recording:", semaphores(target.pid))
if how == ["kill"]:
    # A pymemtop that was killed cannot clean up: the kernel does.
    recording.process.send_signal(signal.SIGKILL)
    recording.process.wait()
    for _ in range(100):
        target.run()
        if snapshot(target.pid) == before:
            break
else:
    recording.stop()
    target.run()
after = snapshot(target.pid)
for key in before:
    check(before[key] == after[key], key, "changed:", str(before[key])[:2000], "to",
          str(after[key])[:2000])
check(target.end() == 0, "the target failed")
