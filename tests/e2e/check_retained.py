# SPDX-License-Identifier: BSD-2-Clause
"""python [attribution]: what inspect says that a name keeps alive is what the process loses with it, by
the books of holds.py, which are its allocators'."""
import json
import subprocess
import sys

from harness import PYMEMTOP, Target, check

# Bytes: objects that are made by counting. And in a hundred: libc's heads of blocks, and what else is
# freed with a name.
SLACK, SLACK_PERCENT = 4096, 3


def holders_of(pid):
    done = subprocess.run([PYMEMTOP, "inspect", "-p", str(pid), "-f", "json"], stdout=subprocess.PIPE,
                          check=True, text=True)
    process, = json.loads(done.stdout)["processes"]
    return process["holders"], process


target = Target(sys.argv[1], "holds.py")
holders, process = holders_of(target.pid)
target.run()
book = target.book_of(target.pid)
wrong = []
for name, lost in book["lost"].items():
    path = "__main__." + name
    found = sum(h["retained_bytes"] for h in holders if h["path"] == path)
    print("%-12s lost %9d, kept alive %9d" % (name, lost, found))
    if abs(found - lost) > SLACK + lost * SLACK_PERCENT // 100:
        wrong.append((name, [h for h in holders if h["path"].startswith(path)][:8]))
cycles = sum(h["count"] for h in holders if h["path"] == "[unreachable cycles]" and h["type"] == "list")
print("cycles: %d, as such %d" % (book["cycles"], cycles))
if not 0 <= book["cycles"] - cycles <= 2:
    wrong.append(("cycles", [h for h in holders if h["path"].startswith("[unr")][:8]))
rows = sum(h["count"] for h in holders if h["path"].startswith("<frame wait_with() holds.py:") and
           h["path"].endswith(" kept[*]") and h["type"] == "bytes")
print("rows of a frame: %d, found %d" % (book["rows"], rows))
if not 0 <= book["rows"] - rows <= 2:
    wrong.append(("rows", [h for h in holders if h["path"].startswith("<frame")][:8]))
check(not wrong, "not equal:", *("\n%s: %s" % row for row in wrong))
target.end()
