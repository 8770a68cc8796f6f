# SPDX-License-Identifier: BSD-2-Clause
"""Allocates with every function that allocates, and keeps books."""
import ctypes
import mmap
import os
import sys
import threading

from books import EXTRA, allocate, begin, finish, forget, hold, release, shrink, write

try:
    import numpy
except ImportError:
    numpy = None

libc = ctypes.CDLL(None, use_errno=True)
SIZE = ctypes.c_size_t
POINTER = ctypes.c_void_p
for name, args in {
        "malloc": [SIZE], "valloc": [SIZE], "pvalloc": [SIZE], "calloc": [SIZE, SIZE],
        "memalign": [SIZE, SIZE], "aligned_alloc": [SIZE, SIZE], "realloc": [POINTER, SIZE],
        "reallocarray": [POINTER, SIZE, SIZE], "free": [POINTER],
        "mmap": [POINTER, SIZE, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long],
        "munmap": [POINTER, SIZE], "mremap": [POINTER, SIZE, SIZE, ctypes.c_int],
        "posix_memalign": [POINTER, SIZE, SIZE]}.items():
    function = getattr(libc, name)
    function.argtypes = args
    function.restype = POINTER
libc.free.restype = None
libc.munmap.restype = libc.posix_memalign.restype = ctypes.c_int

PAGE = 4096
RW, PRIVATE = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
kept = []


def keep(thing, size):
    """Notes a Python object as held by the line that made it."""
    frame = sys._getframe(1)
    kept.append(thing)
    hold(id(thing), size, place=(frame.f_code.co_filename, frame.f_lineno))
    return thing


def objects():
    for i in range(100):
        x = bytes(1000 + i); keep(x, sys.getsizeof(x))
    for i in range(50):
        x = bytearray(2000 + i); keep(x, 2000 + EXTRA + i)
    for i in range(10):
        x = [None] * (500 + i); keep(x, 8 * (500 + i))
    for i in range(5):
        x = dict.fromkeys(range(100 + i)); keep(x, sys.getsizeof(x) - 64)
    # Release every second one.
    for thing in kept[::2]:
        release(id(thing))
    del thing, x
    kept[::2] = [None] * len(kept[::2])


def garbage():
    """Keeps nothing."""
    for i in range(1000):
        x = bytes(600 + i)
    return len(x)


def arrays():
    if not numpy:
        return
    for i in range(2):
        x = numpy.zeros(10000 + i); keep(x, x.nbytes)
        x = numpy.empty(3000 + i, dtype="u4"); keep(x, x.nbytes)
        x = numpy.arange(70000); keep(x, x.nbytes)


def functions():
    """Calls each function of the allocator."""
    a = hold(libc.malloc(1111), 1111)
    hold(libc.calloc(11, 101), 1111)
    hold(libc.valloc(2222), 2222)
    hold(libc.pvalloc(3333), 3333)
    hold(libc.memalign(64, 4444), 4444)
    hold(libc.aligned_alloc(128, 1280), 1280)
    result = POINTER()
    error = libc.posix_memalign(ctypes.byref(result), 256, 5555)
    hold_posix(result.value, error)
    libc.free(release(a))
    libc.free(None)
    hold(libc.malloc(0), 0)


def hold_posix(address, error):
    frame = sys._getframe(1)
    assert not error
    hold(address, 5555, place=(frame.f_code.co_filename, frame.f_lineno - 1))


def reallocs():
    a = hold(libc.malloc(1000), 1000)
    b = hold(libc.realloc(a, 500_000) if release(a) else 0, 500_000)
    c = hold(libc.realloc(b, 700) if release(b) else 0, 700)
    hold(libc.reallocarray(c, 30, 40) if release(c) else 0, 1200)
    hold(libc.realloc(None, 900), 900)
    hold(libc.reallocarray(None, 9, 100), 900)
    # Calls that fail leave the old block in place, on its line.
    d = hold(libc.malloc(800), 800)
    assert libc.realloc(d, 1 << 62) is None
    assert libc.reallocarray(d, 1 << 40, 1 << 40) is None
    assert libc.malloc(1 << 62) is None
    assert libc.calloc(1 << 40, 1 << 40) is None
    # On glibc, realloc(p, 0) frees.
    e = hold(libc.malloc(850), 850)
    assert libc.realloc(release(e), 0) is None


def mappings():
    x = mmap.mmap(-1, 5 * PAGE); hold(id(x), 5 * PAGE, "mapped_"); kept.append(x)
    y = mmap.mmap(-1, 100 * PAGE); hold(id(y), 100 * PAGE, "mapped_")
    y.close()
    release(id(y))
    # Two side by side, then a hole across their border, then the rest of the second.
    room = libc.mmap(None, 2 << 20, 0, PRIVATE, -1, 0)
    fixed = PRIVATE | 0x10
    a = hold(libc.mmap(room, 1 << 20, RW, fixed, -1, 0), 1 << 20, "mapped_")
    b = hold(libc.mmap(room + (1 << 20), 1 << 20, RW, fixed, -1, 0), 1 << 20, "mapped_")
    assert not libc.munmap(b - 3 * PAGE, 8 * PAGE)
    shrink(a, 3 * PAGE)
    shrink(b, 5 * PAGE)
    assert not libc.munmap(b + 5 * PAGE, (1 << 20) - 5 * PAGE)
    shrink(b, (1 << 20) - 5 * PAGE)
    release(b)
    # A mapping over a part of another one takes its place.
    hold(libc.mmap(a + 16 * PAGE, 8 * PAGE, RW, fixed, -1, 0), 8 * PAGE, "mapped_")
    shrink(a, 8 * PAGE)
    libc.mmap(a + 32 * PAGE, 4 * PAGE, 0, fixed, -1, 0)
    shrink(a, 4 * PAGE)
    # Larger than a region of the tables, with a hole that spans whole regions.
    c = hold(libc.mmap(None, 64 << 20, RW, PRIVATE | 0x4000, -1, 0), 64 << 20, "mapped_")
    assert not libc.munmap(c + (9 << 20) + PAGE, (20 << 20) + PAGE)
    shrink(c, (20 << 20) + PAGE)
    # Read-only mappings and those of files are not memory of this kind.
    libc.mmap(None, PAGE, mmap.PROT_READ, PRIVATE, -1, 0)
    with open(sys.executable, "rb") as file:
        libc.mmap(None, PAGE, RW, mmap.MAP_PRIVATE, file.fileno(), 0)
    # A call that is refused for its arguments; then one that fails.
    assert libc.munmap(c + 1, PAGE) == -1
    assert libc.mmap(None, 1 << 60, RW, PRIVATE, -1, 0) == (1 << 64) - 1


def remaps():
    a = hold(libc.mmap(None, 10 * PAGE, RW, PRIVATE, -1, 0), 10 * PAGE, "mapped_")
    b = hold(libc.mremap(a, 10 * PAGE, 500 * PAGE, 1) if release(a) else 0, 500 * PAGE, "mapped_")
    hold(libc.mremap(b, 500 * PAGE, 20 * PAGE, 1) if release(b) else 0, 20 * PAGE, "mapped_")
    c = hold(libc.mmap(None, 7 * PAGE, RW, PRIVATE, -1, 0), 7 * PAGE, "mapped_")
    assert libc.mremap(c, 7 * PAGE, 1 << 60, 1) == (1 << 64) - 1


def in_threads():
    """Eight threads at once: blocks are made in one and freed in another."""
    made = []

    def work(n):
        for i in range(200):
            made.append(hold(libc.malloc(600 + n), 600 + n))
            hold(libc.calloc(1, 700 + n), 700 + n)
            if i % 3 == 0:
                libc.free(release(made.pop(0)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_children():
    """Children start with this heap, and keep their own books."""
    mine = hold(libc.malloc(12345), 12345)
    other = hold(libc.malloc(54321), 54321)
    children = []
    for n in range(3):
        pid = os.fork()
        if not pid:
            forget()
            child(n, mine)
            os._exit(0)
        children.append(pid)
    libc.free(release(other))
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0


def child(n, inherited):
    libc.free(inherited)
    hold(libc.malloc(3000 + n), 3000 + n)
    a = hold(libc.malloc(4000 + n), 4000 + n)
    libc.free(release(a))
    in_threads()
    if n == 2:
        pid = os.fork()
        if not pid:
            forget()
            hold(libc.malloc(7000), 7000)
            in_threads()
            write()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    write()


if numpy:
    # numpy keeps the last seven arrays' shapes for reuse: later arrays then allocate nothing but
    # their data.
    [numpy.zeros(5000 + i) for i in range(7)]
begin()
if allocate is bytearray:
    objects()
    garbage()
arrays()
functions()
reallocs()
mappings()
remaps()
in_threads()
in_children()
finish()
