# SPDX-License-Identifier: BSD-2-Clause
"""Stacks that greenlet and gevent switch under the interpreter."""
import gevent
import greenlet

from books import allocate, begin, finish, note_stack

kept = []
sizes = iter(range(10_000, 20_000))


def plain():
    kept.append(allocate(note_stack(next(sizes))))


def deep(depth):
    if depth:
        return deep(depth - 1)
    plain()
    greenlet.getcurrent().parent.switch()
    plain()


def switching():
    """Resumes each greenlet in the middle, after others have run."""
    several = [greenlet.greenlet(deep) for _ in range(3)]
    for depth, one in enumerate(several):
        one.switch(depth * 3)
        plain()
    for one in several:
        one.switch()
    plain()


def waits(n):
    for _ in range(n):
        gevent.sleep(0)
        plain()
    return [plain() for _ in range(2)]


def events():
    gevent.joinall([gevent.spawn(waits, n) for n in (1, 2, 3)])
    pool = gevent.get_hub().threadpool
    pool.apply(plain)
    plain()


gevent.sleep(0)
begin()
switching()
events()
finish()
