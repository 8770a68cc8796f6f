# SPDX-License-Identifier: BSD-2-Clause
"""python attribution [program]: each stack of stacks.py, or of the program, frame by frame."""
import sys

from harness import check, check_nothing_lost, process_of, record

# Before 3.10 the line marker fires only at the beginning of a line's instructions
# (maybe_dtrace_line() in Python/ceval.c). A finally block that an exception reaches shares its
# line's instructions with one that none reaches: there, the last line reported is the one before.
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
    # Each size is noted once; a stack that comes again has several.
    found[stack["outstanding_bytes"]] = stack

# Allocations with the same stack add up, in the target's books as in ours.
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
        # Markers carry co_name. Frames below the module's were entered before the attach, if at
        # all.
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
