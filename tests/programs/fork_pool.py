# SPDX-License-Identifier: BSD-2-Clause
"""Workers of multiprocessing, each with books of its own."""
import multiprocessing
import os

from books import EXTRA, allocate, begin, finish, forget, hold, write

kept = []


def work(n):
    x = allocate(10_000 + n); hold(id(x), 10_000 + EXTRA + n); kept.append(x)
    write()
    return os.getpid()


if __name__ == "__main__":
    begin()
    with multiprocessing.get_context("fork").Pool(3, initializer=forget) as pool:
        assert len(set(pool.map(work, range(60), chunksize=1))) <= 3
        finish()
