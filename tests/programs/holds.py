# SPDX-License-Identifier: BSD-2-Clause
"""Keeps structures of many kinds, each held by one name; then lets go of one after the other. Its books
are how many bytes the allocators have lost with each."""
import collections
import ctypes
import functools
import gc
import json
import os
import sys
import tempfile
import threading
import types

from books import begin

libc = ctypes.CDLL(None)


class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t if hasattr(libc, "mallinfo2") else ctypes.c_int) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
        "keepcost")]


mallinfo = getattr(libc, "mallinfo2", None) or libc.mallinfo
mallinfo.restype = Mallinfo


def allocated():
    """Bytes in pools, by pymalloc's own statistics, and in libc's blocks, but for arenas."""
    gc.collect()
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(saved, 2)
        os.close(saved)
        file.seek(0)
        said = file.read().decode()
    used = [line for line in said.splitlines() if line.startswith("# bytes in allocated blocks")]
    info = mallinfo()
    return int(used[0].split("=")[1].replace(",", "")) + info.uordblks + info.hblkhd


class Event:
    def __init__(self, n):
        self.name, self.when = "event %d" % n, n * 1.5


class Slotted:
    __slots__ = ("text", "data")

    def __init__(self, n):
        self.text, self.data = "slotted %d" % n, {"rows": [n + k + 1000000 for k in range(20)]}


class Node:
    def __init__(self, following):
        self.following, self.load = following, b"n" * 100


class Owner:
    kept = [("class", str(n), n + 0.5) for n in range(5000)]


class Text(str):
    pass


def closure():
    rows = [bytes(300) + b"%d" % n for n in range(2000)]
    return lambda: rows


def generate():
    rows = [complex(n, 7) for n in range(20000)]
    yield rows
    yield rows


@functools.lru_cache(maxsize=None)
def cached(n):
    return "cached %d" % n


def chain():
    last = None
    for _ in range(3000):
        last = Node(last)
    return last


def many_attributes():
    space = types.SimpleNamespace()
    # Not by setattr(), which keeps the names: some interned for good, some in a cache of the interpreter.
    vars(space).update(("attribute %d" % n, n + 0.25) for n in range(2000))
    return space


def subclass():
    text = Text("a subclass")
    text.more = [str(n) + "more" for n in range(4000)]
    return text


def wait_with(rows, ready, leave):
    kept = [bytes(500) + b"%d" % n for n in rows]
    ready.set()
    leave.wait()
    return kept


events = [Event(n) for n in range(6000)]
slotted = {"key %d" % n: Slotted(n) for n in range(2000)}
by_number = {n * 1000 + 500: (n, "by number %d" % n) for n in range(3000)}
queue = collections.deque((n, "queued %d" % n) for n in range(3000))
for _ in range(1500):
    queue.append(queue.popleft())
numbers = {n * 7.5 for n in range(5000)}
ordered = collections.OrderedDict((n + 5000, "ordered %d" % n) for n in range(2000))
counts = collections.defaultdict(list)
for n in range(1000):
    counts[n + 70000].append("counted %d" % n)
text = "t" * 3000000
first = chain()
function = closure()
generator = generate()
next(generator)
space = many_attributes()
special = subclass()
owner = Owner
del Owner
for n in range(3000):
    cached(n + 10000)
NAMES = ["events", "slotted", "by_number", "queue", "numbers", "ordered", "counts", "text", "first",
         "function", "generator", "space", "special", "cached", "owner"]
CYCLES, ROWS = 400, 1500

gc.collect()
gc.disable()
for n in range(CYCLES):
    cycle = [bytes(4000) + b"%d" % n]
    cycle.append(cycle)
del cycle
there, leave = threading.Event(), threading.Event()
thread = threading.Thread(target=wait_with, args=(range(ROWS), there, leave))
thread.start()
there.wait()
# What is swapped out is not looked at.
libc.mlockall(3)    # MCL_CURRENT | MCL_FUTURE, asm-generic/mman.h
begin()
lost = {}
leave.set()
thread.join()
book = {"cycles": CYCLES, "rows": ROWS, "collected": gc.collect()}
before = allocated()
for name in NAMES:
    del globals()[name]
    after = allocated()
    lost[name] = before - after
    before = after
with open("%s.%d" % (os.environ["BOOKS"], os.getpid()), "w") as file:
    json.dump(dict(book, lost=lost), file)
print("done", flush=True)
sys.stdin.readline()
os._exit(0)
