# SPDX-License-Identifier: BSD-2-Clause
"""Keeps an object with two texts, and a block, at each turn, and makes many more that it drops; prints, when told to
end, how many turns there were."""
import json
import os
import select
import sys
import time

kept = []


class Event:
    __slots__ = ("who", "what")

    def __init__(self, n):
        self.who, self.what = "user %d" % n, "did %d things" % n


def keep(n):
    kept.append(Event(n))


def keep_block():
    kept.append(bytearray(2000))


def busy(n):
    document = {"id": n, "items": [{"k": k, "v": str(k) * 3} for k in range(20)]}
    return len(json.loads(json.dumps(document))["items"]) + sum(len(bytes(600 + k)) for k in range(20))


def turn(n):
    keep(n)
    keep_block()
    busy(n)


print("ready", os.getpid(), flush=True)
turns = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    turn(turns)
    turns += 1
    time.sleep(0.0001)
print(turns, flush=True)
