# SPDX-License-Identifier: BSD-2-Clause
"""Starts new Pythons by exec, as multiprocessing's spawn does; each keeps books."""
import subprocess
import sys

from books import EXTRA, allocate, begin, finish, hold, write

kept = []


def work():
    for i in range(200):
        block = allocate(3000 + i); hold(i, 3000 + i + EXTRA)
        kept.append(block)


def child():
    sys.stdin.readline()
    work()
    write()
    print("done", flush=True)
    sys.stdin.readline()


def main():
    begin()
    children = [subprocess.Popen([sys.executable, __file__, "child"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)]
    subprocess.run(["/bin/true"])
    print("started %s" % " ".join(str(c.pid) for c in children), flush=True)
    sys.stdin.readline()
    for c in children:
        c.stdin.write("go\n")
    for c in children:
        c.stdout.readline()
    finish()


child() if sys.argv[1:] == ["child"] else main()
