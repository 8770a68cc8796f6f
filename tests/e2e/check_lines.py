# SPDX-License-Identifier: BSD-2-Clause
"""python function: compares mode lines with memory_profiler on the same program. With both at once
in one process, occurrences are equal, and increments agree within a page. Without memory_profiler,
occurrences are still the same."""
import os
import re
import subprocess
import sys

from harness import PROGRAMS, PYMEMTOP, check

PAGE = 4096 / (1 << 20)
# Before 6.2, memory_profiler reads counters in /proc of which the task holds back up to 64 pages
# each (SPLIT_RSS_COUNTING in mm/memory.c), for anonymous and for file pages; ours are exact.
HELD_BACK = 2 * 64 if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 2) else 0
ROW = re.compile(r" *(\d+) +(-?[\d.]+) MiB +(-?[\d.]+) MiB +(\d+)   (.*)")


def table(text, function):
    """Returns the rows, by line number, of the only table for that function."""
    tables = [part for part in text.split("Filename: ") if "def %s(" % function in part]
    tables = [part for part in tables if re.search(r"\d   @profile\n", part)]
    check(len(tables) == 1, len(tables), "tables of", function, "in", text)
    rows = {}
    for line in tables[0].splitlines()[4:]:
        found = ROW.fullmatch(line)
        number = re.match(r" *(\d+)", line)
        if number:
            rows[int(number[1])] = found and (float(found[2]), float(found[3]), int(found[4]))
    return rows


def lines_of(function, *command):
    done = subprocess.run([PYMEMTOP, "record", "-m", "lines", "--function", function, "-o",
                           "/dev/stderr", "--", *command], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return table(done.stderr, function), done.stdout


def main():
    python, function = sys.argv[1:]
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
        if abs(rows[0][1] - rows[1][1]) > (1 + HELD_BACK) * PAGE + 0.001:
            wrong.append("line %d: increments %s" % (line, [row[1] for row in rows[:2]]))
    check(not wrong, "\n".join(wrong))


main()
