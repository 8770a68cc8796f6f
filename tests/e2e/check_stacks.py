# SPDX-License-Identifier: BSD-2-Clause
"""python attribution [program]: each stack of stacks.py, or the program, frame by frame."""
import sys

from harness import check, check_nothing_lost, process_of, record

# Before 3.10 the line marker is at the beginning of a line's instructions only, and a
# finally that is reached by an exception shares its line's with the one that is not
# (maybe_dtrace_line() in Python/ceval.c): there, the line before is the last that was said.
SHARED = {("raises", 42): 40, ("generator", 30): 28}

python, attribution, program = (*sys.argv[1:], "stacks.py")[:3]
target, profile = record(python, program, "--attribution", attribution)
process = process_of(profile, target.pid)
check_nothing_lost(process)
unmarked = attribution == "usdt" and process["python"] in ("3.8", "3.9")
noted = target.book_of(target.pid)["stacks"]
check(len(noted) > (40 if program == "stacks.py" else 15), "only", len(noted), "stacks were noted")

found = {}
for stack in process["stacks"]:
    for frame in stack["frames"]:
        check(frame["file"] != "[unknown]", "a frame has no name")
    # Sizes are noted once each; stacks that are the same have several.
    found[stack["outstanding_bytes"]] = stack

# What allocates on the same stack adds up, in the target's books as in ours.
expected = {}
for stack in noted:
    key = tuple(tuple(frame) for frame in stack["frames"])
    expected.setdefault(key, []).append(stack["bytes"])

wrong = []
for frames, sizes in expected.items():
    stack = found.get(sum(sizes))
    if not stack:
        wrong.append("no stack with %s bytes: %s" % (sum(sizes), frames))
        continue
    check(stack["outstanding_count"] == len(sizes), "blocks", stack["outstanding_count"], sizes)
    got = [(f["file"], f["line"], f["function"]) for f in stack["frames"]]
    if attribution == "usdt":
        # Markers carry co_name; and what the module's frame is above was entered
        # before the attach, or not at all.
        want = [(file, line, name) for file, line, _, name in frames]
        if got and got[-1][0] == "[before attach]":
            got.pop()
    else:
        want = [(file, line, qualname) for file, line, qualname, _ in frames]
    if got != want and not (unmarked and got == [(file, SHARED.get((name, line), line), name)
                                                 for file, line, name in want]):
        wrong.append("wanted %s\n   got %s" % (want, got))
check(not wrong, "%d of %d stacks are wrong:\n" % (len(wrong), len(expected)) + "\n".join(wrong))
check(target.end() == 0, "the target failed")
