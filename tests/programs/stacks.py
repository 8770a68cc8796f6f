# SPDX-License-Identifier: BSD-2-Clause
"""Allocations with stacks of every shape, each of a size that no other has."""
import asyncio
import contextlib
import ctypes
import functools
import threading

from books import allocate, begin, finish, note_stack

kept = []
sizes = iter(range(10_000, 20_000))


def plain():
    kept.append(allocate(note_stack(next(sizes))))


def recursive(depth):
    if depth:
        return recursive(depth - 1)
    kept.append(allocate(note_stack(next(sizes))))


def generator():
    yield plain()
    try:
        yield kept.append(allocate(note_stack(next(sizes))))
    finally:
        plain()


def delegating():
    yield from generator()


def raises(depth):
    if depth:
        try:
            raises(depth - 1)
        finally:
            plain()
    raise ValueError(depth)


def catches():
    try:
        raises(3)
    except ValueError:
        plain()
    plain()


def throws_into():
    g = generator()
    next(g)
    next(g)
    with contextlib.suppress(KeyError):
        g.throw(KeyError)
    plain()
    # A generator that is dropped in the middle.
    g = generator()
    next(g)
    next(g)
    del g
    plain()


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


def make_class():
    class Thing:
        plain()

        @decorated
        def method(self):
            return [plain() for _ in range(2)]

        @property
        def value(self):
            return (lambda: plain())()

        def __lt__(self, other):
            plain()
            return True

    return Thing


async def coroutine(depth):
    if depth:
        await coroutine(depth - 1)
    await asyncio.sleep(0)
    plain()


async def gather():
    await asyncio.gather(coroutine(1), coroutine(2))


async def asynchronous_generator():
    plain()
    yield 1
    await asyncio.sleep(0)
    plain()
    yield 2


async def consume():
    async for _ in asynchronous_generator():
        plain()
    return [plain() async for _ in asynchronous_generator()]


def from_c():
    @ctypes.CFUNCTYPE(ctypes.c_int)
    def callback():
        plain()
        return 0
    callback()


def lines(
        first,
        second):
    kept.append(
        allocate(note_stack(next(sizes)))
    )
    for _ in range(2): plain()
    plain() if first else None; plain()


def through_c():
    sorted([make_class()(), make_class()()])
    list(map(lambda _: plain(), range(2)))
    max(range(2), key=lambda n: plain() or n)


def in_exec():
    for name in "one", "two", "three":
        source = "def f():\n\n    plain()\nf()\n"
        exec(compile(source, "<%s>" % name, "exec"), {"plain": plain})


def in_thread():
    thread = threading.Thread(target=catches)
    thread.start()
    thread.join()


def everything():
    plain()
    recursive(10)
    list(delegating())
    catches()
    throws_into()
    thing = make_class()()
    thing.method()
    thing.value
    asyncio.run(gather())
    asyncio.run(consume())
    from_c()
    lines(1, 2)
    through_c()
    in_exec()
    in_thread()
    plain()


begin()
everything()
finish()
