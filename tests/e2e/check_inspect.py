# SPDX-License-Identifier: BSD-2-Clause
"""python [attribution]: inspect counts the objects that alive.py makes, by type, and their sizes, as its own books
do; and all objects that its garbage collector tracks. Its classes come with where they are defined."""
import ast
import json
import os
import subprocess
import sys

from harness import PROGRAMS, PYMEMTOP, Target, check

python = sys.argv[1]
# Made by making the books, or by waiting: a few more or less.
SLACK = 40
# A file's buffer, which comes and goes.
BUFFER = 8192 + 33
# Since 3.15 a bytearray's bytes are a bytes object, which sys.getsizeof() counts to the bytearray.
BYTES = {"bytes", "bytearray"}
TRACKED = ["Plain", "Slotted", "list", "dict", "set", "function"]


def inspect(pid):
    done = subprocess.run([PYMEMTOP, "inspect", "-p", str(pid), "-f", "json"], stdout=subprocess.PIPE,
                          check=True, text=True)
    process, = json.loads(done.stdout)["processes"]
    return {row["type"].split(".")[-1]: (row["count"], row["bytes"]) for row in process["types"]}, process


target = Target(python, "alive.py")
before, _ = inspect(target.pid)
target.run()
after, process = inspect(target.pid)
book = target.book_of(target.pid)
wrong = []
minor = int(process["python"].split(".")[1])
for name, (count, size) in sorted(book["types"].items()):
    was, now = before.get(name, (0, 0)), after.get(name, (0, 0))
    got = now[0] - was[0], now[1] - was[1]
    exact = "exact" if got == (count, size) else ""
    print("%-14s books %d %d, inspect %d %d %s" % (name, count, size, *got, exact))
    if abs(got[0] - count) > SLACK or \
            abs(got[1] - size) > SLACK * 100 + size // 1000 + (name == "bytes") * BUFFER and \
            not (name in BYTES and minor >= 15):
        wrong.append(name)
for name in TRACKED:
    count, got = book["tracked"].get(name, 0), after.get(name, (0, 0))[0]
    print("%-14s tracked %d, inspect %d" % (name, count, got))
    # Not all are tracked.
    if got < count - SLACK - count // 1000 or got > count + SLACK and name in ("Plain", "Slotted"):
        wrong.append(name + " tracked")
print("%d objects, %d bytes, RSS %d, torn %d" % (process["objects"], process["bytes"],
                                                process["rss_bytes"], process["torn_pools"]))
with open(os.path.join(PROGRAMS, "alive.py")) as file:
    classes = {node.name: node.lineno for node in ast.parse(file.read()).body if isinstance(node, ast.ClassDef)}
for name, line in classes.items():
    at = [(os.path.basename(row.get("file", "")), row.get("line")) for row in process["types"] if row["type"] == name]
    print("%-14s at %s" % (name, at))
    if at != [("alive.py", line)]:
        wrong.append(name + " at")
check(len(classes) > 3 and not wrong, "not equal:", wrong)
target.end()
