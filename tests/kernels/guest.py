# SPDX-License-Identifier: BSD-2-Clause
"""The only program that runs in a guest: runs the checks that the kernel's command line lists
(checks=NAME*TIMES,...), and prints the result of each in a line "@check NAME RESULT SECONDS"."""
import os
import re
import subprocess
import sys
import time

from checks import CHECKS, LOCKED

PYTHON = "/usr/bin/python3.11"
WARNING = re.compile(r"WARNING: |BUG: |Oops|run-time alloc")


def words():
    with open("/proc/cmdline") as file:
        return dict(word.split("=", 1) for word in file.read().split() if "=" in word)


def run(name):
    environment = dict(os.environ, LC_ALL="C.UTF-8", HOME="/root", DEADLINE="600",
                       REQUESTS="300",    # of small.py: each object is slow here
                       MAY_LOSE=words().get("may_lose", ""))
    command = [PYTHON if word == "PYTHON" else word for word in {**CHECKS, **LOCKED}[name]]
    begin = time.monotonic()
    try:
        done = subprocess.run([PYTHON, "-u", *command], stdout=subprocess.PIPE, timeout=900,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=environment)
        result, said = "equal" if done.returncode == 0 else "failed", done.stdout
        if done.returncode == 0 and said.startswith("skip: "):
            result = "skipped"
    except subprocess.TimeoutExpired as expired:
        result, said = "failed", "no end in time\n" + (expired.stdout or b"").decode(errors="replace")
    lines = said.splitlines()
    # For a rejected program's log, keep the beginning, and the end with the reason.
    if len(lines) > 300:
        lines = lines[:100] + ["..."] + lines[-200:]
    for line in lines:
        print("@said", line[:500])
    print("@check", name, result, "%.1f" % (time.monotonic() - begin), flush=True)


def warnings():
    """Prints what the kernel itself complained about."""
    log = subprocess.run(["/bin/busybox", "dmesg"], stdout=subprocess.PIPE, text=True,
                         errors="replace").stdout.splitlines()
    for at, line in enumerate(log):
        if WARNING.search(line):
            print("@warning", " / ".join(log[at:at + 4])[:500])


def main():
    print("@kernel", os.uname().release, os.uname().machine, flush=True)
    for item in words().get("checks", ",".join(CHECKS)).split(","):
        name, _, times = item.partition("*")
        for _ in range(int(times or 1)):
            run(name)
    warnings()
    print("@end", flush=True)


sys.stdout.reconfigure(line_buffering=True)
main()
