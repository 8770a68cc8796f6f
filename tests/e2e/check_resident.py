# SPDX-License-Identifier: BSD-2-Clause
"""python attribution step[,step...] [option...]: the lines of resident.py agree within a few pages
with what the kernel's RssAnon, and RssShmem, told the program itself; and the sums hold."""
import json
import os
import re
import sys

from harness import Recording, Target, check, check_nothing_lost, may_lose, process_of

PAGE = 4096
# Reading RssAnon between two lines, and making the objects that hold the values, takes pages, too.
SLACK = 3 * PAGE
# Before 6.2 a thread adds up to 64 pages by itself before RssAnon has them (TASK_RSS_EVENTS_THRESH,
# mm/memory.c): each of the program's two readings may be that late.
if tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups())) < (6, 2):
    SLACK += 64 * PAGE


def resident(part):
    """Includes pages of arenas, which the lines that touched them share with others."""
    return part["resident_bytes"] + part["arena_bytes"]


def with_callees(process, line):
    return sum(resident(stack) for stack in process["stacks"]
               if any(frame["file"].endswith("/resident.py") and frame["line"] == line
                      for frame in stack["frames"]))


def check_lines(book, process):
    found = {}
    for line in process["lines"]:
        if line["file"].endswith("/resident.py"):
            found[line["line"]] = found.get(line["line"], 0) + resident(line)
    # Memory from before the attach that is given back meanwhile hides growth from the books.
    hidden = max(0, book["start"] - process["before_attach_bytes"])
    missed = PAGE * may_lose(process)
    for line, expected in book["lines"]:
        # Pages that a call on the line touches are on the callee's lines.
        got = found.get(line, 0)
        stacks = with_callees(process, line)
        check(-SLACK - missed - expected // 100 <= max(got, stacks) - expected <=
              SLACK + expected // 100 + hidden, "line %d has %d, with "
              "what it calls %d, not %d" % (line, got, stacks, expected))


def check_sum(book, process, unattributed):
    check(process["rss_anon_bytes"] == process["before_attach_bytes"] + resident(process) +
          process["unattributed_bytes"], "the sum is wrong:", process)
    growth = process["rss_anon_bytes"] - process["before_attach_bytes"]
    # Native threads, such as Arrow's and polars's, go on after the books were written.
    check(abs(process["rss_anon_bytes"] - book["rss_anon"]) <= SLACK + book["rss_anon"] // 1000,
          "RssAnon is", book["rss_anon"], "not", process["rss_anon_bytes"])
    check(abs(process["unattributed_bytes"] - unattributed) <= max(growth // 100, SLACK),
          "unattributed are", process["unattributed_bytes"], "of", growth)


def check_shared(book, process):
    lines = {line["line"]: line["shared_bytes"] for line in process["lines"]
             if line["file"].endswith("/resident.py")}
    for line, expected in book["shared"]:
        check(lines.get(line, 0) == expected, "line %d has %d shared bytes, not %d" % (
            line, lines.get(line, 0), expected))
    check(process["shared_mapped_bytes"] == process["shared_before_bytes"] +
          process["shared_bytes"] + process["shared_unattributed_bytes"], "shared:", process)
    check(process["shared_unattributed_bytes"] == 0, process["shared_unattributed_bytes"])
    # RssShmem also has what is mapped privately of files in memory, as all are in an initramfs.
    added = sum(expected for _, expected in book["shared"])
    check(process["shared_mapped_bytes"] - process["shared_before_bytes"] == added,
          "shared memory has grown by", added, "not", process["shared_mapped_bytes"])


def check_sampled(book, process):
    """One page in ten stands for all: a line with hundreds of pages is right within an eighth."""
    for line, expected in book["lines"]:
        got = with_callees(process, line)
        check(abs(got - expected) <= expected // 8, "line %d has %d, not %d" % (line, got, expected))


def main():
    python, attribution, steps, *options = sys.argv[1:]
    steps = steps.split(",")
    target = Target(python, "resident.py", *steps)
    recording = Recording("-p", str(target.pid), "-m", "rss", "-f", "json", "--attribution",
                          attribution, *options)
    target.run()
    profile = json.loads(recording.stop())
    for pid in target.pids():
        process, book = process_of(profile, pid), target.book_of(pid)
        if "--sample" in options:
            check_sampled(book, process)
        elif "--max-regions" in options:
            check(process["lost"]["pages"] > 1000, "lost are", process["lost"])
            check_sum(book, process, book["rss_anon"] - process["before_attach_bytes"] -
                      resident(process))
            check(resident(process) <= 20 << 21, resident(process))
        else:
            check_nothing_lost(process)
            check_lines(book, process)
            check_shared(book, process)
            check_sum(book, process, 0)
        print("%s: shared %d; RssAnon %d = %d before + %d lines + %d unattributed" % (
            ",".join(steps), process["shared_bytes"], process["rss_anon_bytes"], process["before_attach_bytes"],
            resident(process), process["unattributed_bytes"]))
    target.end()


main()
