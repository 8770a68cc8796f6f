# SPDX-License-Identifier: BSD-2-Clause
"""SEED [THREADS]: takes blocks and mappings on four lines, each in a function of its own, and gives them back, at random:
grows, shrinks, and grows again, less. Its books say what each line held when all held most, and at the end. With threads,
as many do so in turns."""
import json
import mmap
import os
import random
import sys
import threading

from books import EXTRA, allocate, begin

STEPS = 4_000


def a(n): return allocate(n - EXTRA)
def b(n): return allocate(n - EXTRA)
def c(n): return allocate(n - EXTRA)
def d(n): return mmap.mmap(-1, n)


# Only these lines allocate later: what else the program takes is there already, and small objects have room.
make, n, held, most, peak = (a, b, c, d), [0] * 4, [0] * 4, 0, None
kept, size = [[None] * STEPS for _ in range(4)], [[0] * STEPS for _ in range(4)]
room = [float(i) for i in range(100_000)]
del room[::2]
random.seed(int(sys.argv[1]))
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 1
turns = [threading.Semaphore(0) for _ in range(threads)]


def step(number):
    global most, peak
    i = random.randrange(4)
    if random.random() < (0.7 if number < 1_500 else 0.3 if number < 3_000 else 0.6) or not n[i]:
        size[i][n[i]] = random.randrange(2, 9) * 4096 if i == 3 else random.randrange(600, 9_000)
        kept[i][n[i]] = make[i](size[i][n[i]])
        held[i] += size[i][n[i]]
        n[i] += 1
        if sum(held) > most:
            most, peak = sum(held), held.copy()
    else:
        k = random.randrange(n[i])
        n[i] -= 1
        held[i] -= size[i][k]
        kept[i][k], size[i][k] = kept[i][n[i]], size[i][n[i]]
        kept[i][n[i]] = None


def work(me):
    for number in range(me, STEPS, threads):
        turns[me].acquire()
        step(number)
        turns[(me + 1) % threads].release()


workers = [threading.Thread(target=work, args=(me,)) for me in range(threads)]
[worker.start() for worker in workers]
begin()
turns[0].release()
[worker.join() for worker in workers]
with open("%s.%d" % (os.environ["BOOKS"], os.getpid()), "w") as file:
    json.dump({"most": most, "peak": peak, "held": held}, file)
print("done", flush=True)
sys.stdin.readline()
