# SPDX-License-Identifier: BSD-2-Clause
"""python attribution step: the leak of small.py is on its line, with exactly the blocks and bytes
that tracemalloc counts in another run; and the sum is pymalloc's own."""
import json
import sys

from harness import Recording, Target, check, check_nothing_lost, process_of

python, attribution, step = sys.argv[1:]
# Blocks of one line that may be on a free list at the end of either run. In Debian's debug build,
# free lists are not found: what comes from them stays on the line that first made it.
DEBUG = python.endswith("d")
ON_FREE_LISTS = 2
NOT_FOUND = DEBUG and step in ("rows", "async")


def tracemallocs_books():
    target = Target(python, "small.py", step, "books")
    target.run()
    leaks = target.book_of(target.pid)["leaks"]
    target.end()
    return leaks


def held_by_line(process):
    held = {}
    for line in process["lines"]:
        if line["file"].endswith("/small.py"):
            row = held.setdefault(line["line"], [0, 0])
            row[0] += line["outstanding_count"]
            row[1] += line["outstanding_bytes"]
    return held


def types_by_line(process):
    types = {}
    for line in process["lines"]:
        for row in line.get("types", []) if line["file"].endswith("/small.py") else []:
            found = types.setdefault(line["line"], {})
            found[row["type"]] = found.get(row["type"], 0) + row["count"]
    return types


def main():
    leaks = tracemallocs_books()
    target = Target(python, "small.py", step)
    recording = Recording("-p", str(target.pid), "-m", "objects", "-f", "json", "--attribution",
                          attribution)
    target.run()
    profile = json.loads(recording.stop())
    process, book = process_of(profile, target.pid), target.book_of(target.pid)
    pymalloc = book["pymalloc"]
    check_nothing_lost(process)
    held = held_by_line(process)
    print("%s: held %s; small objects %d = %d before + lines + %d unattributed; pymalloc says %d" % (
        step, leaks, process["small_bytes"], process["small_before_bytes"],
        process["small_unattributed_bytes"], pymalloc))
    check(leaks, "the books are empty")
    for line, count, size in leaks:
        # What is on one of CPython's free lists at the end of either run still counts for its last
        # line. A debugging allocator's blocks are larger than what was asked for.
        got = held.get(line, [0, 0])
        check(NOT_FOUND or (abs(got[0] - count) <= ON_FREE_LISTS and
                            (abs(got[1] - size) <= ON_FREE_LISTS * 64 or DEBUG)),
              "line %d holds %s, not %s" % (line, got, [count, size]))
    types = types_by_line(process)[max(leaks, key=lambda row: row[2])[0]]
    for name, count in book["types"].items() if not NOT_FOUND else ():
        # Allow a few more that are in flight, or on a free list.
        check(count <= types.get(name, 0) <= count + 8, "of %s there are %d, not %d" % (
            name, types.get(name, 0), count))
    first = max(process["lines"], key=lambda row: row["outstanding_bytes"])
    check(first["line"] == max(leaks, key=lambda row: row[2])[0], "first is", first)
    # The target asked pymalloc a moment before the snapshot, and objects came and went since.
    check(abs(process["small_bytes"] - pymalloc) < 16 * 4096, "pymalloc has", pymalloc)
    check(process["small_unattributed_bytes"] * 1000 <= process["small_bytes"], "unattributed")
    target.end()


main()
