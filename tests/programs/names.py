# SPDX-License-Identifier: BSD-2-Clause
"""Code with names of every kind, some of it gone before the report."""
import gc
import os
import sys

from books import begin, finish, write

kept = {n: None for n in range(20_000, 24_000)}    # which does not grow
ALLOCATE = "\n" * 4 + "def %s(size):\n    kept[size] = bytearray(size - 1)\n%s(%d)\n"


def run(filename, function, size):
    exec(compile(ALLOCATE % (function, function, size), filename, "exec"), {"kept": kept})


begin()
run("<string>", "unnamed", 20_000)
run("/tmp/größe/文件.py", "größe", 20_001)
run("/tmp/emoji-\U0001f40d.py", "名前", 20_002)
run("/tmp/with blank; and semicolon.py", "f", 20_003)
if "markers" not in sys.argv:
    # CPython's own markers raise in the target for a name that is not UTF-8.
    run("/tmp/undecodable-\udcff.py", "f", 20_004)
run("/tmp/control-\x1b[31m\n.py", "f", 20_005)
run("/tmp/" + "long/" * 150 + "x.py", "f" * 200, 20_006)
# Many code objects, each gone before the next, that get one another's address.
for i in range(300):
    run("/tmp/gone-%03d.py" % i, "gone%03d" % i, 21_000 + i)
gc.collect()
# A table of lines longer than one record, and a line far down in it.
source = "".join("a%d = [%d,\n  %d]\n" % (i, i, i) for i in range(20_000))
exec(compile(source + "kept[22_000] = bytearray(22_000 - 1)\n", "/tmp/huge.py", "exec"),
     {"kept": kept})
# The module's own import goes through frozen code.
os.makedirs(os.environ["BOOKS"] + ".d", exist_ok=True)
with open(os.environ["BOOKS"] + ".d/imported.py", "w") as file:
    file.write("data = bytearray(23_000 - 1)\n")
sys.path.insert(0, os.environ["BOOKS"] + ".d")
import imported
if "exit" in sys.argv:
    write()
    print("done", flush=True)
    os._exit(0)
finish()
