# SPDX-License-Identifier: BSD-2-Clause
"""Code with names of every kind; some of it is gone before the report."""
import gc
import os
import sys

from books import EXTRA, allocate, begin, finish, write

kept = {n: None for n in range(20_000, 24_000)}    # has all its keys, so it does not grow
names = {"kept": kept, "allocate": allocate, "EXTRA": EXTRA}
ALLOCATE = "\n" * 4 + "def %s(size):\n    kept[size] = allocate(size - EXTRA)\n%s(%d)\n"


def run(filename, function, size):
    exec(compile(ALLOCATE % (function, function, size), filename, "exec"), dict(names))


begin()
run("<string>", "unnamed", 20_000)
run("/tmp/größe/文件.py", "größe", 20_001)
run("/tmp/emoji-\U0001f40d.py", "名前", 20_002)
run("/tmp/with blank; and semicolon.py", "f", 20_003)
if "markers" not in sys.argv:
    # CPython's own markers raise an exception in the target for a name that is not UTF-8.
    run("/tmp/undecodable-\udcff.py", "f", 20_004)
run("/tmp/control-\x1b[31m\n.py", "f", 20_005)
run("/tmp/" + "long/" * 150 + "x.py", "f" * 200, 20_006)
# Strings whose characters are not stored beside their heads.
class Text(str):
    pass


for size, name in (20_007, "/tmp/subclass.py"), (20_008, "/tmp/größe.py"):
    code = compile("\n" * 5 + "kept[%d] = allocate(%d - EXTRA)\n" % (size, size), "", "exec")
    exec(code.replace(co_filename=Text(name)), dict(names))
# Many code objects, each gone before the next, that reuse one another's address.
for i in range(300):
    run("/tmp/gone-%03d.py" % i, "gone%03d" % i, 21_000 + i)
gc.collect()
# A line table longer than one record, and a line far down in it.
source = "".join("a%d = [%d,\n  %d]\n" % (i, i, i) for i in range(20_000))
# It stays: such a table is read from the process, which may be a moment later.
huge = compile(source + "kept[22_000] = allocate(22_000 - EXTRA)\n", "/tmp/huge.py", "exec")
exec(huge, dict(names))
# Importing a module goes through frozen code.
os.makedirs(os.environ["BOOKS"] + ".d", exist_ok=True)
with open(os.environ["BOOKS"] + ".d/imported.py", "w") as file:
    file.write("import books\ndata = books.allocate(%d)\n" % (23_000 - EXTRA))
sys.path.insert(0, os.environ["BOOKS"] + ".d")
import imported
if "exit" in sys.argv:
    write()
    print("done", flush=True)
    os._exit(0)
finish()
