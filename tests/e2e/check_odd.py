# SPDX-License-Identifier: BSD-2-Clause
"""python attribution case: runs one case of odd.py."""
import json
import sys

from harness import (Recording, Target, amounts_by_line, check, check_nothing_lost,
                     compare_books, live_blocks, process_of, read_until, wait_for)

python, attribution, case = sys.argv[1:4]


def record(arguments, *options, ends=False):
    target = Target(python, "odd.py", *arguments)
    recording = Recording("-p", str(target.pid), "-f", "json", "--attribution", attribution,
                          *options)
    target.go()
    if ends:
        profile = json.loads(recording.wait())
    else:
        target.wait_done()
        profile = json.loads(recording.stop())
    return target, process_of(profile, target.pid), profile


def stacks_of(process, size):
    return [stack for stack in process["stacks"] if stack["outstanding_bytes"] == size]


def plain(function):
    target, process, profile = record([function])
    check_nothing_lost(process)
    compare_books(target.book_of(target.pid), process)
    return target, process, profile


def deep():
    """A stack deeper than --max-frames is marked as cut."""
    for limit in 10, 64, 128:
        target, process, _ = record(["deep", "200"], "--max-frames", str(limit))
        stack, = stacks_of(process, 77_777)
        frames = stack["frames"]
        check(len(frames) == limit + 1 and frames[-1]["file"] == "[cut]", len(frames), frames[-1])
        check(all(frame["function"] == "deep" for frame in frames[:-1]), frames)
        target.end()
    target, process, _ = record(["deep", "20"])
    stack, = stacks_of(process, 77_777)
    expected = "[before attach]" if attribution == "usdt" else "<module>"
    check(expected in (stack["frames"][-1]["function"], stack["frames"][-1]["file"]),
          stack["frames"][-1])
    check([frame["function"] for frame in stack["frames"][:21]] == ["deep"] * 21, stack)
    return target


def native():
    target, process, _ = record(["native"])
    check_nothing_lost(process)
    stack, = stacks_of(process, 54_321)
    check([frame["file"] for frame in stack["frames"]] == ["[native]"], stack)
    return target


def spawn():
    """Children that execute something else are not shown, and cost nothing."""
    target, process, profile = plain("spawn")
    check(len(profile["processes"]) == 1, [p["cmdline"] for p in profile["processes"]])
    return target


def spawned():
    target, process, profile = record(["spawned", "1"])
    check_nothing_lost(process)
    compare_books(target.book_of(target.pid), process)
    return target


def execute():
    target, process, profile = record(["execute"], ends=True)
    check(process["state"] == "execed", process["state"])
    check(stacks_of(process, 31_337), "what it held is not there")
    return target


def many():
    """There is room for --max-blocks, and a few more; every one beyond is counted as lost."""
    target, process, _ = record(["many", "5000"], "--max-blocks", "1000")
    held, lost = process["outstanding_count"], process["lost"]["blocks"]
    check(1000 <= held <= 1200, "held are", held)
    check(held + lost >= 5000, "held", held, "lost", lost)
    return target


def dying():
    """What dead children held leaves the maps, but stays in their counts."""
    target = Target(python, "odd.py", "dying", "10")
    recording = Recording("-p", str(target.pid), "-f", "json", "--attribution", attribution,
                          "--max-blocks", "1500")
    for _ in range(10):
        target.go()
        read_until(target.process.stdout, "died", "the target")
        wait_for(lambda: live_blocks(recording.process.pid) < 300)
    target.run()
    profile = json.loads(recording.stop())
    process = process_of(profile, target.pid)
    check_nothing_lost(process)
    compare_books(target.book_of(target.pid), process)
    children = [p for p in profile["processes"] if p["parent"] == target.pid]
    check(len(children) == 10, len(children), "children")
    for child in children:
        check_nothing_lost(child)
        check(child["outstanding_count"] >= 300, child["outstanding_count"])
    return target


def sites():
    """Every stack beyond --max-sites is counted as lost."""
    target, process, _ = record(["sites", "500"], "--max-sites", "100")
    check(process["lost"]["sites"] >= 400, process["lost"])
    check(0 < len(process["stacks"]) <= 100, len(process["stacks"]))
    return target


def tree():
    """Of stacks beyond --max-sites, the innermost line is known."""
    target, process, _ = record(["tree", "9"], "--max-sites", "128")
    check_nothing_lost(process)
    compare_books(target.book_of(target.pid), process)
    cut = [stack for stack in process["stacks"] if stack["frames"][-1]["file"] == "[cut]"]
    check(cut and all(len(stack["frames"]) == 2 for stack in cut), len(process["stacks"]), cut)
    return target


def before_attach():
    """usdt: a function entered before the attach has no name until a marker gives it one."""
    target, process, _ = record(["many", "5"])
    files = {frame["file"] for stack in process["stacks"] for frame in stack["frames"]}
    check("[before attach]" in files, files)
    check("[unknown]" not in files, files)
    return target


cases = {"deep": deep, "native": native, "spawn": spawn, "spawned": spawned, "execute": execute,
         "many": many, "dying": dying, "sites": sites, "tree": tree, "before_attach": before_attach,
         **{name: lambda name=name: plain(name)[0]
            for name in ("callbacks", "blocked", "churn", "subinterpreters")}}
cases[case]().end()
