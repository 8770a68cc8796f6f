# SPDX-License-Identifier: BSD-2-Clause
"""python step [other]: targets that start while a recording runs, and several modes at once."""
import json
import sys

from harness import (Recording, Target, check, check_nothing_lost, compare_books, process_of,
                     read_until)

python, step, *others = sys.argv[1:]


def profiles_of(text):
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        profile, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found.append(profile)
    return found


def wait_recorded(recording, pid):
    read_until(recording.process.stderr, "process %d is recorded" % pid, "pymemtop")


def workers():
    """What a target executes is recorded if it is a Python, and not shown otherwise."""
    target = Target(python, "workers.py")
    recording = Recording("-p", str(target.pid), "-f", "json")
    target.go()
    started = read_until(target.process.stdout, "started", "the target")[-1]
    pids = [int(word) for word in started.split()[1:]]
    # They can be recorded in any order.
    waiting = set(pids)
    while waiting:
        line = read_until(recording.process.stderr, "is recorded", "pymemtop")[-1]
        waiting.discard(int(line.split("process ")[1].split()[0]))
    target.run()
    profile = json.loads(recording.stop())
    check(len(profile["processes"]) == 3, [p["cmdline"] for p in profile["processes"]])
    for pid in pids:
        process = process_of(profile, pid)
        check(process["parent"] == target.pid, "its parent is", process["parent"])
        check_nothing_lost(process)
        compare_books(target.book_of(pid), process)
    return target


def later():
    """-a records processes that start after it, also with another interpreter."""
    recording = Recording("-a", "-m", "heap", "-f", "json")
    targets = []
    for interpreter in (python, *others):
        target = Target(interpreter, "blocks.py", "objects")
        wait_recorded(recording, target.pid)
        target.run()
        targets.append(target)
    profile = json.loads(recording.stop())
    for target in targets:
        process = process_of(profile, target.pid)
        check_nothing_lost(process)
        compare_books(target.book_of(target.pid), process)
    for target in targets[1:]:
        target.end()
    return targets[0]


def modes():
    """heap and rss at once: each reports what it would alone, and their ids are the same."""
    target = Target(python, "resident.py", "blocks", "threads")
    recording = Recording("-p", str(target.pid), "-m", "heap,rss", "-f", "json")
    target.run()
    heap, rss = profiles_of(recording.stop())
    check((heap["mode"], rss["mode"]) == ("heap", "rss"), heap["mode"], rss["mode"])
    process, resident = process_of(heap, target.pid), process_of(rss, target.pid)
    check_nothing_lost(process)
    check_nothing_lost(resident)
    book = target.book_of(target.pid)
    of = {row["line"]: row for row in resident["lines"] if row["file"].endswith("resident.py")}
    held = {row["line"]: row for row in process["lines"] if row["file"].endswith("resident.py")}
    line, size = book["lines"][0]
    check(abs(of[line]["resident_bytes"] - size) <= 3 * 4096 + size // 100,
          "line %d has %d resident, not %d" % (line, of[line]["resident_bytes"], size))
    check(0 <= held[line]["outstanding_bytes"] - 30 * (1 << 20) < 4096,
          "line %d holds %d" % (line, held[line]["outstanding_bytes"]))
    check(resident["rss_anon_bytes"] == resident["before_attach_bytes"] +
          resident["resident_bytes"] + resident["arena_bytes"] + resident["unattributed_bytes"],
          "the sum is wrong")
    return target


{"workers": workers, "later": later, "modes": modes}[step]().end()
