# SPDX-License-Identifier: BSD-2-Clause
"""Makes objects of many types and sizes; its books are how many of each, and their sys.getsizeof()."""
import array
import collections
import ctypes
import gc
import json
import os
import sys

from books import begin

try:
    import numpy
except ImportError:
    numpy = None

kept = []
# What CPython has from the start.
SMALL = 1024 if sys.version_info >= (3, 15) else 256


class Plain:
    def __init__(self, n):
        self.number, self.text = n + 100000, "plain %d" % n


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, n):
        self.a, self.b = n + 200000.5, n + 3e9


class Text(str):
    pass


class Numbers(dict):
    pass


def closure(n):
    def inner():
        return n
    return inner


def various(n):
    """One object of each kind, as large as n says."""
    yield [n + 1000000] * n
    yield tuple([n + 2000000] * n)
    yield dict.fromkeys(range(n))
    yield {"key %d" % k: None for k in range(n)}
    yield set(range(n))
    yield frozenset(range(n))
    yield bytes(n) + b"b"
    yield bytearray(n)
    yield "a" * n + str(n)
    yield "\xe9" * n + str(n)
    yield "\u20ac" * n + str(n)
    yield "\U0001f600" * n + str(n)
    yield 10 ** n + 7
    yield float(n) + 0.25
    yield complex(n, 1)
    yield array.array("d", [1.0] * n)
    yield array.array("b", [1] * n)
    yield range(n)
    yield slice(n, n + 9)
    yield Text("text %d" % n)
    yield Numbers(a=n)
    yield closure(n)
    yield kept.append
    yield ValueError("value %d" % n)
    if numpy:
        yield numpy.ones((n, 2))
        yield numpy.array([None] * n)
        yield kept[-2][1:]    # a view


def make():
    kept.extend(Plain(n) for n in range(40000))
    kept.extend(Slotted(n) for n in range(5600))
    for n in (0, 1, 3, 6, 20, 100, 1000, 70000):
        kept.extend(various(n))


def books():
    """What kept refers to, each object once, but for what was there before: small ints were."""
    seen, counts, todo = set(), collections.Counter(), list(kept)
    sizes = collections.Counter()
    while todo:
        item = todo.pop()
        if id(item) in seen or id(item) in before or isinstance(item, type) or \
                type(item) is int and -5 <= item <= SMALL:
            continue
        seen.add(id(item))
        name = type(item).__name__
        counts[name] += 1
        sizes[name] += sys.getsizeof(item)
        if isinstance(item, (Plain, Slotted, list, tuple, dict, set, frozenset)):
            todo.extend(gc.get_referents(item))
        # The collector does not visit keys that are all str.
        if isinstance(item, dict):
            todo.extend(item)
    # kept itself has grown.
    sizes["list"] += sys.getsizeof(kept) - sys.getsizeof([])
    return {name: [counts[name], sizes[name]] for name in counts}


# What is swapped out is not looked at.
ctypes.CDLL(None).mlockall(3)    # MCL_CURRENT | MCL_FUTURE, asm-generic/mman.h
begin()
gc.collect()
before = {id(item) for item in gc.get_objects()}
before.update(id(item) for group in gc.get_objects() if not isinstance(group, type)
              for item in gc.get_referents(group))
make()
gc.collect()
with open("%s.%d" % (os.environ["BOOKS"], os.getpid()), "w") as file:
    json.dump({"types": books(), "tracked": collections.Counter(
        type(item).__name__ for item in gc.get_objects())}, file)
before.clear()
gc.collect()
print("done", flush=True)
sys.stdin.readline()
os._exit(0)
