# SPDX-License-Identifier: BSD-2-Clause
"""step [books]: leaks small objects on one line while others come and go. With books, which slow it
and take blocks too, tracemalloc says what lives: [line, blocks, bytes in size classes]."""
import asyncio
import collections
import csv
import dataclasses
import gc
import io
import json
import os
import sys
import tracemalloc

from books import begin

REQUESTS = int(os.environ.get("REQUESTS", 1500))
kept = []
cache = {}
counts = {}


class Event:
    def __init__(self, user, path):
        self.user, self.path = user, path


@dataclasses.dataclass
class Entry:
    key: str
    value: float


def render(n):
    return json.loads(json.dumps([{"id": k, "name": "n%d" % k} for k in range(n)], indent=1))


def requests():
    for i in range(REQUESTS):
        kept.append(Event("user-%d" % i, "path/%d" % i))    # leak
        render(20)


def strings():
    for i in range(REQUESTS * 4):
        counts["key-%d" % i] = "x" * (10 + i % 400)    # leak
        " ".join(str(k) for k in range(20)).split()


def rows():
    text = "\n".join("%d,name-%d,%d.5" % (i, i, i) for i in range(REQUESTS))
    for row in csv.reader(io.StringIO(text)):
        kept.append((int(row[0]) + 5000, row[1] + "!", float(row[2])))    # leak
        [k * 1.5 for k in range(100)]


async def fill(n):
    for i in range(n):
        cache[i] = Entry("key-%d" % i, i * 0.5)    # leak
        await asyncio.sleep(0)
        render(5)


def asynchronous():
    asyncio.run(fill(REQUESTS))


def size_class(size):
    return (size + 15) // 16 * 16 if size <= 512 else size


def books():
    lines = {}
    for trace in tracemalloc.take_snapshot().traces:
        frame = trace.traceback[0]
        if frame.filename == __file__:
            row = lines.setdefault(frame.lineno, [frame.lineno, 0, 0])
            row[1] += 1
            row[2] += size_class(trace.size)
    with open(__file__) as file:
        text = file.read().splitlines()
    return [row for row in lines.values() if text[row[0] - 1].endswith("# leak")]


def alive():
    """Counts the live objects of the lines that leak, by type."""
    parts = [part for event in kept if isinstance(event, Event)
             for part in (event, event.user, event.path)]
    parts += [part for row in kept if isinstance(row, tuple) for part in (row, *row)]
    parts += [part for item in counts.items() for part in item]
    parts += [part for entry in cache.values() for part in (entry, entry.key, entry.value)]
    return collections.Counter(type(part).__name__ for part in parts)


def pymalloc_bytes():
    """Returns the bytes that pymalloc itself reports as allocated."""
    read, write = os.pipe()
    saved = os.dup(2)
    os.dup2(write, 2)
    sys._debugmallocstats()
    os.dup2(saved, 2)
    os.close(write)
    with open(read) as file:
        for line in file:
            if "bytes in allocated blocks" in line:
                return int(line.split("=")[1].replace(",", ""))


def main():
    step = {"requests": requests, "strings": strings, "rows": rows, "async": asynchronous}[sys.argv[1]]
    render(20)
    if sys.argv[2:]:
        tracemalloc.start()
    begin()
    # Empties CPython's free lists: an object on one without a trace would never get a trace.
    gc.collect()
    tracemalloc.clear_traces()
    step()
    book = {"leaks": books()} if sys.argv[2:] else {"types": alive(), "pymalloc": pymalloc_bytes()}
    with open("%s.%d" % (os.environ["BOOKS"], os.getpid()), "w") as file:
        json.dump(book, file)
    print("done", flush=True)
    sys.stdin.readline()
    os._exit(0)


main()
