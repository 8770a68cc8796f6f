# SPDX-License-Identifier: BSD-2-Clause
"""what file [argument...]: checks the json profile that a bats file has recorded."""
import json
import os
import sys

from harness import PROGRAMS, check

what, path, *arguments = sys.argv[1:]
with open(path) as file:
    profile = json.load(file)


def lines():
    """The lines of lists() in lines.py have the numbers of memory_profiler's table."""
    process, = profile["processes"]
    of = {line["line"]: line for line in process["lines"] if line["function"] == "lists"}
    with open(os.path.join(PROGRAMS, "lines.py")) as file:
        text = file.read().splitlines()
    added = {text[number - 1].strip(): line["added_bytes"] for number, line in of.items()}
    check(abs(added["b = [2] * (2 * 10 ** 7)"] - 160_000_000) <= 8192, added)
    check(abs(added["del b"] + 160_000_000) <= 8192, added)
    check(all(line["occurrences"] == 1 for line in of.values()), of)
    check(of[min(of)]["base_bytes"] > 5_000_000, of)


def ended():
    """The argument is RssAnon in KiB, which the process printed before it ended."""
    process, = profile["processes"]
    anon = int(arguments[0]) * 1024
    check(abs(process["rss_anon_bytes"] - anon) < 20 * 4096, process["rss_anon_bytes"], anon)
    check(abs(process["unattributed_bytes"]) < anon / 100, process["unattributed_bytes"])
    largest = max(line["resident_bytes"] for line in process["lines"])
    check(30_000_000 < largest < 30_100_000, largest)


def everyone():
    """The processes with the given ids are in the profile, which is of mode rss."""
    check(profile["mode"] == "rss", profile["mode"])
    check({int(pid) for pid in arguments} <= {p["pid"] for p in profile["processes"]},
          [p["pid"] for p in profile["processes"]])


def pools():
    """Objects that 10 pages have no room for are counted as lost."""
    process, = profile["processes"]
    check(process["lost"]["pools"] > 90_000, process["lost"])


def malloced():
    process, = profile["processes"]
    line = max(process["lines"], key=lambda line: line["outstanding_count"])
    check(100_000 <= line["outstanding_count"] <= 100_010, line)
    check(process["small_bytes"] == 0, process["small_bytes"])


{"lines": lines, "ended": ended, "everyone": everyone, "pools": pools, "malloced": malloced}[what]()
