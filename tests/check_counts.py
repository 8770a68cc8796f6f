# SPDX-License-Identifier: BSD-2-Clause
"""python: how often the programs run, by the kernel's own count, for a known number of
calls; and that they run no more after the detach."""
import json
import subprocess
import sys

from harness import Recording, Target, check

CALLS = 20_000      # of calloc, and of free, in a batch of steady.py
SWITCH = "/proc/sys/kernel/bpf_stats_enabled"


def run_counts():
    programs = json.loads(subprocess.run(["/usr/sbin/bpftool", "prog", "show", "--json"],
                                         capture_output=True, text=True, check=True).stdout)
    return {p["name"]: p.get("run_cnt", 0) for p in programs
            if p.get("name") in ("enter", "leave")}


with open(SWITCH) as file:
    before = file.read()
with open(SWITCH, "w") as file:
    file.write("1")
try:
    target = Target(sys.argv[1], "steady.py")
    recording = Recording("-p", str(target.pid))
    first = run_counts()
    target.run()
    second = run_counts()
    # Nothing else in the batch allocates from libc, but for a print.
    for name, calls in ("enter", 2 * CALLS), ("leave", CALLS):
        runs = second[name] - first[name]
        check(calls <= runs <= calls + 50, name, "ran", runs, "times for", calls, "calls")
    recording.stop()
    target.run()
    target.end()
finally:
    with open(SWITCH, "w") as file:
        file.write(before)
