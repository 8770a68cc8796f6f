# SPDX-License-Identifier: BSD-2-Clause
"""python attribution step[,step...] [option...]: the lines of resident.py, within a page
of what the kernel's RssAnon said to the program itself; and the sum."""
import json
import sys

from harness import Recording, Target, check, check_nothing_lost, process_of

PAGE = 4096
# Reading RssAnon between two lines, and making the objects that hold them, takes pages too.
SLACK = 3 * PAGE


def check_lines(book, process):
    found = {}
    for line in process["lines"]:
        if line["file"].endswith("/resident.py"):
            found[line["line"]] = found.get(line["line"], 0) + line["resident_bytes"]
    for line, expected in book["lines"]:
        # What a call on the line touches is on the callee's lines.
        got = found.get(line, 0)
        stacks = sum(stack["resident_bytes"] for stack in process["stacks"]
                     if any(frame["file"].endswith("/resident.py") and frame["line"] == line
                            for frame in stack["frames"]))
        check(abs(max(got, stacks) - expected) <= SLACK + expected // 100, "line %d has %d, with "
              "what it calls %d, not %d" % (line, got, stacks, expected))


def check_sum(book, process, unattributed):
    check(process["rss_anon_bytes"] == process["before_attach_bytes"] + process["resident_bytes"] +
          process["unattributed_bytes"], "the sum is wrong:", process)
    growth = process["rss_anon_bytes"] - process["before_attach_bytes"]
    check(abs(process["rss_anon_bytes"] - book["rss_anon"]) <= SLACK, "RssAnon is",
          book["rss_anon"], "not", process["rss_anon_bytes"])
    check(abs(process["unattributed_bytes"] - unattributed) <= max(growth // 100, SLACK),
          "unattributed are", process["unattributed_bytes"], "of", growth)


def main():
    python, attribution, steps, *options = sys.argv[1:]
    target = Target(python, "resident.py", *steps.split(","))
    recording = Recording("-p", str(target.pid), "-m", "rss", "-f", "json", "--attribution",
                          attribution, *options)
    target.run()
    profile = json.loads(recording.stop())
    for pid in target.pids():
        process = process_of(profile, pid)
        check_nothing_lost(process)
        book = target.book_of(pid)
        check_lines(book, process)
        check_sum(book, process, 8 << 20 if "unseen" in steps.split(",") else 0)
        print("%d: RssAnon %d = %d before + %d lines + %d unattributed" % (
            pid, process["rss_anon_bytes"], process["before_attach_bytes"],
            process["resident_bytes"], process["unattributed_bytes"]))
    target.end()


main()
