# SPDX-License-Identifier: BSD-2-Clause
"""python attribution [option...]: every block of blocks.py is on its line, to the byte."""
import sys

from harness import check, check_nothing_lost, compare_books, process_of, record

python, attribution, *options = sys.argv[1:]
target, profile = record(python, "blocks.py", "--attribution", attribution, *options)
pids = target.pids()
check(len(pids) == 5, "books of", pids)
for pid in pids:
    process = process_of(profile, pid)
    check(process["attribution"] == attribution, process["attribution"])
    check_nothing_lost(process)
    compare_books(target.book_of(pid), process)
check(target.end() == 0, "the target failed")
