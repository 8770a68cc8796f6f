# SPDX-License-Identifier: BSD-2-Clause
"""python mode: checks the report of leak.py, as a person gets it, and prints it."""
import re
import sys

from harness import PROGRAMS, Recording, Target, check

python, mode = sys.argv[1:]
LINE = next(number for number, text in enumerate(open(PROGRAMS + "/leak.py"), 1) if "kept.append" in text)
BYTES = 200 * 40_001
MIB = 1 << 20

target = Target(python, "leak.py")
recording = Recording("-p", str(target.pid), "-m", mode, *(["--function", "keep"] if mode == "lines" else []))
target.run()
report = recording.stop()
target.end()
print(report)
if mode == "lines":
    memory, increment = re.search(
        r"^ *%d +(\S+) MiB +(\S+) MiB +.*kept.append" % LINE, report, re.M).groups()
    # libc first fills memory that it had free.
    check(abs(float(increment) * MIB - BYTES) < 0.05 * BYTES, "it added", increment, "MiB")
else:
    check(re.search(r"^  Lost +nothing$", report, re.M), "something is lost")
    amount = re.search(r"^ +\+(\S+) MiB .*leak.py:%d \(keep\)$" % LINE, report, re.M)
    check(amount, "line", LINE, "is not there")
    slack = 0.05 * MIB + (0 if mode == "heap" else 0.02 * BYTES)
    check(abs(float(amount[1]) * MIB - BYTES) < slack, "it holds", amount[1], "MiB")
