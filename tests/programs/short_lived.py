# SPDX-License-Identifier: BSD-2-Clause
"""children codes files: forks that many children, each of which ends at once with a block of its
own still held. Then makes that many code objects, which run once and hold nothing, of that many
files. Prints how far it is."""
import os
import sys

from books import begin, finish

SIZE = 30_000
FILES = int(sys.argv[3])


def child():
    kept = bytearray(SIZE)
    os._exit(len(kept) != SIZE)


def one_off(number):
    names = {}
    exec(compile("\n" * (number % 5000) + "def made():\n    return len(bytes(1000))",
                 "<made %d>" % (number % FILES), "exec"), names)
    return names["made"]()


def fork(n):
    for i in range(n):
        pid = os.fork()
        if not pid:
            child()
        os.waitpid(pid, 0)


begin()
for tenth in range(10):
    fork(int(sys.argv[1]) // 10)
    for number in range(int(sys.argv[2]) // 10):
        one_off(tenth * int(sys.argv[2]) + number)
    print("tenth", flush=True)
    sys.stdin.readline()
finish()
