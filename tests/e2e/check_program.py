# SPDX-License-Identifier: BSD-2-Clause
"""python attribution program: lines hold exactly what the program's books say. How much frame.py's
lines hold is up to pandas: there, at least what they must, and not much more."""
import sys

from harness import (amounts_by_line, check, check_nothing_lost, compare_books, process_of,
                     record)

python, attribution, program = sys.argv[1:4]
target, profile = record(python, program, "--attribution", attribution)
pids = target.pids()
for pid in pids:
    process, book = process_of(profile, pid), target.book_of(pid)
    check_nothing_lost(process)
    if program != "frame.py":
        # The main process of fork_pool.py allocates nothing on its own lines.
        if book["lines"] or len(pids) == 1:
            compare_books(book, process)
        continue
    # The leaf is in pandas; the program's own line is further out.
    for row in book["lines"]:
        held = sum(stack["outstanding_bytes"] for stack in process["stacks"]
                   if any((frame["file"], frame["line"]) == (row["file"], row["line"])
                          for frame in stack["frames"]))
        check(row["bytes"] <= held < 1.3 * row["bytes"], row, "but held are", held)
target.end()
