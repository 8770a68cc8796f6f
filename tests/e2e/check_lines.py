# SPDX-License-Identifier: BSD-2-Clause
"""python function [--markers]: compares mode lines with memory_profiler on the same program, both at
once in one process. Increments agree within a hundredth or a few pages: what memory_profiler needs
itself, it has on the line after. With --markers, they agree within a page, and occurrences are
equal, also without memory_profiler."""
import os
import re
import subprocess
import sys

from harness import PROGRAMS, PYMEMTOP, check

PAGE = 4096 / (1 << 20)
FEW = 24
TURNS = 4
# Before 6.2, memory_profiler reads counters in /proc of which the task holds back up to 64 pages
# each (SPLIT_RSS_COUNTING in mm/memory.c), for anonymous and for file pages; ours are exact.
HELD_BACK = 2 * 64 if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 2) else 0
ROW = re.compile(r" *(\d+) +(-?[\d.]+) MiB +(-?[\d.]+) MiB +(\d*)   (.*)")
# What a lambda's caller adds between two calls, memory_profiler has on the lambda's line, and we on
# the line that calls: that has the sum of both.
CALLED = {"seed": {27: 29}}
# In a loop, memory_profiler compares with the most that there was on the line before in any turn.
LOOPS = {"chunks": 80}


def table(text, function):
    """Returns the rows, by line number, of the only table for that function."""
    tables = [part for part in text.split("Filename: ") if "def %s(" % function in part]
    tables = [part for part in tables if "   @profile\n" in part]
    check(len(tables) == 1, len(tables), "tables of", function, "in", text)
    rows = {}
    for line in tables[0].splitlines()[4:]:
        found = ROW.fullmatch(line)
        number = re.match(r" *(\d+)", line)
        if number:
            rows[int(number[1])] = found and (float(found[2]), float(found[3]), int(found[4] or 0))
    return rows


def lines_of(function, *command):
    done = subprocess.run([PYMEMTOP, "record", "-m", "lines", *markers, "--function", function,
                           "-o", "/dev/stderr", "--", *command], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return table(done.stderr, function), done.stdout


def compare_increments(theirs, both, function):
    wrong = []
    print("  line |       theirs    increment |         ours    increment")
    for line in sorted(set(theirs) | set(both)):
        wanted = theirs.get(line) or (0, 0, 0)
        called = CALLED.get(function, {}).get(line)
        added = wanted[1] + (theirs[called][1] if called else 0)
        # The first line has all that there was before.
        if line == min(theirs) or not any((wanted[1], both.get(line))) or \
                line in CALLED.get(function, {}).values():
            continue
        ours = both.get(line) or (0, 0, 0)
        print("%6d | %12.3f %12.3f | %12.3f %12.3f" % (line, wanted[0], added, *ours[:2]))
        if abs(added - ours[1]) > max(0.01 * abs(added), LOOPS.get(function, FEW) * PAGE):
            wrong.append("line %d: increments %s and %s" % (line, added, ours[1]))
    check(not wrong, "\n".join(wrong))


def compare_markers(python, function):
    program = PROGRAMS + "/lines.py"
    both, text = lines_of(function, python, "-m", "memory_profiler", "--precision", "3", program,
                          function)
    alone, _ = lines_of(function, python, program, function)
    theirs = table(text, function)
    print("  line |       theirs    increment  times |         ours    increment  times |"
          "        alone    increment  times")
    check(sorted(theirs) == sorted(both) == sorted(alone), "other lines:", sorted(theirs),
          sorted(both), sorted(alone))
    wrong = []
    for line in sorted(theirs):
        rows = [rows[line] for rows in (theirs, both, alone)]
        if not any(rows):
            continue
        check(all(rows), "line", line, "was not run by all:", rows)
        print("%6d | %s" % (line, " | ".join("%12.3f %12.3f %6d" % row for row in rows)))
        if len(set(times for _, _, times in rows)) > 1:
            wrong.append("line %d: occurrences %s" % (line, [row[2] for row in rows]))
        # In a loop each turn is read, by both, a moment apart, in which memory_profiler may take a page.
        if abs(rows[0][1] - rows[1][1]) > (min(rows[0][2], TURNS) + HELD_BACK) * PAGE + 0.001:
            wrong.append("line %d: increments %s" % (line, [row[1] for row in rows[:2]]))
    check(not wrong, "\n".join(wrong))


python, function, *markers = sys.argv[1:]
if markers:
    compare_markers(python, function)
else:
    ours, text = lines_of(function, python, "-m", "memory_profiler", "--precision", "3",
                          PROGRAMS + "/lines.py", function)
    compare_increments(table(text, function), ours, function)
