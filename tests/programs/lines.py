# SPDX-License-Identifier: BSD-2-Clause
"""Functions that mode lines and memory_profiler both measure: `lines.py NAME` runs one of them."""
import io
import os
import random
import sys

try:
    profile
except NameError:
    def profile(function):
        return function


@profile
def lists():
    a = [1] * (10 ** 6)
    b = [2] * (2 * 10 ** 7)
    del b
    return a


@profile
def seed():
    random.seed(1)
    numbers = [random.randint(0, 1 << 40) for _ in range(20_000)]
    ordered = sorted(
        numbers,
        key=lambda number: -number,
    )
    return ordered


@profile
def table():
    import pandas
    text = "key,a\n" + "".join("%d,%d\n" % (i % 100, i) for i in range(4_000))
    frame = pandas.read_csv(io.StringIO(text))
    frame["b"] = frame["a"] * 2
    return frame.groupby("key").sum()


@profile
def chunks():
    data = io.BytesIO(bytes(40_000_000))
    total = 0
    kept = []
    while True:
        chunk = data.read(8_000_000)
        if not chunk:
            break
        total += len(chunk)
        if len(kept) < 2:
            kept.append(chunk)
    return kept


@profile
def flow():
    # how loops, comprehensions, generators and exceptions are counted
    def inner(n):
        for i in range(n):
            yield i

    held = []
    for i in inner(3):
        held.append(bytearray(300_000))
    squares = {i: [j for j in range(i)]
               for i in range(4)}
    try:
        held[99]
    except IndexError:
        held.clear()
    finally:
        total = sum(x for x in range(3))

    return squares, total


def threads():
    import threading

    def first():
        held.append(bytes(range(250)) * 200_000)

    def second():
        held.append(bytes(range(200)) * 400_000)

    held = []
    workers = [threading.Thread(target=run) for run in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return held


if "BOOKS" in os.environ:   # attached to while it runs
    import books
    books.begin()
for name in sys.argv[1:]:
    globals()[name]()
if "BOOKS" in os.environ:
    books.finish()
