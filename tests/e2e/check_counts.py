# SPDX-License-Identifier: BSD-2-Clause
"""python: the kernel's count of the programs' runs fits a known number of calls; and the target
runs on after the detach."""
import sys

from harness import Recording, Target, check, counted_programs, program_counts

CALLS = 20_000      # of calloc, and of free, in one batch of steady.py

with counted_programs():
    target = Target(sys.argv[1], "steady.py")
    recording = Recording("-p", str(target.pid))
    first = program_counts(recording.process.pid)
    target.run()
    second = program_counts(recording.process.pid)
    # Apart from a print, nothing else in the batch allocates from libc.
    for name, calls in ("pymemtop_enter", 2 * CALLS), ("pymemtop_leave", CALLS):
        runs = second[name][0] - first[name][0]
        check(calls <= runs <= calls + 50, name, "ran", runs, "times for", calls, "calls")
    recording.stop()
    target.run()
    target.end()
