# SPDX-License-Identifier: BSD-2-Clause
"""Runs the case that is named: deep stacks, native threads, exec, large numbers of things."""
import ctypes
import os
import subprocess
import sys
import threading

from books import EXTRA, allocate, begin, finish, hold, release

libc = ctypes.CDLL(None)
libc.malloc.argtypes = [ctypes.c_size_t]
libc.malloc.restype = ctypes.c_void_p


def deep(depth):
    if depth:
        return deep(depth - 1)
    hold(libc.malloc(77_777), 77_777)


def native():
    """A thread without any Python in it, while this one keeps the GIL: it runs malloc(54321)."""
    keeps = ctypes.PyDLL(None)
    thread = ctypes.c_ulong()
    start = ctypes.cast(libc.malloc, ctypes.c_void_p)
    assert not keeps.pthread_create(ctypes.byref(thread), None, start, ctypes.c_void_p(54_321))
    keeps.pthread_join(thread, None)


def callbacks():
    """Native threads that call into Python, each with a thread state of its own."""
    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    def callback(argument):
        hold(libc.malloc(1_500), 1_500)

    for _ in range(20):
        thread = ctypes.c_ulong()
        assert not libc.pthread_create(ctypes.byref(thread), None, callback, None)
        libc.pthread_join(thread, None)


def blocked():
    """Allocates while another thread holds the GIL."""
    released = ctypes.CDLL(None)
    released.malloc.argtypes, released.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p

    def spin():
        for _ in range(3_000):
            released.free(ctypes.c_void_p(released.malloc(900)))
        hold(released.malloc(9_999), 9_999)

    threads = [threading.Thread(target=spin) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def churn():
    """Threads that come and go, and reuse one another's ids and memory."""
    def work(n):
        hold(libc.malloc(1_000 + n), 1_000 + n)

    for n in range(0, 400, 4):
        threads = [threading.Thread(target=work, args=(n + i,)) for i in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]


made = []   # 3.12 destroys interpreters whose ids are dropped


def subinterpreters():
    """Interpreters, each with a thread state of its own, in this thread and in another; and one that
    this thread makes, and another runs."""
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    file = "<script>" if sys.version_info >= (3, 14) else "<string>"

    def work(size, interpreter=None):
        made.append(interpreter or interpreters.create())
        run(made[-1], "\n\nkept = bytearray(%d)\n" % (size - EXTRA))
        if allocate is bytearray:   # else libc does not see it, and ctypes cannot be imported
            hold("%d in it" % size, size, place=(file, 3))
        hold(libc.malloc(1_700), 1_700)

    work(44_444)
    thread = threading.Thread(target=work, args=(55_555,))
    thread.start()
    thread.join()
    thread = threading.Thread(target=work, args=(77_777, interpreters.create()))
    thread.start()
    thread.join()
    work(66_666)
    interpreters.destroy(made.pop())
    if allocate is bytearray:
        release("66666 in it")
    hold(libc.malloc(1_800), 1_800)


def many(blocks):
    [libc.malloc(100) for _ in range(blocks)]


def sites(n):
    for i in range(n):
        exec(compile("\n" * i + "libc.malloc(100)", "<%d>" % i, "exec"), {"libc": libc})


def tree(depth):
    """As many distinct stacks as calls."""
    if depth:
        tree(depth - 1)
        tree(depth - 1)
    hold(libc.malloc(600), 600)


def spawn():
    for _ in range(20):
        subprocess.run(["/bin/true"], check=True)
        hold(libc.malloc(600), 600)


def dying(children):
    """Children that hold a lot when they end, one after the other."""
    for _ in range(children):
        pid = os.fork()
        if not pid:
            [libc.malloc(100) for _ in range(300)]
            os._exit(0)
        os.waitpid(pid, 0)
        print("died", flush=True)
        sys.stdin.readline()
    hold(libc.malloc(4_000), 4_000)


def execute():
    libc.malloc(31_337)
    os.execv("/bin/sleep", ["sleep", "1"])


def spawned(depth):
    """A child that executes another Python."""
    subprocess.run([sys.executable, "-c", "x = bytearray(100000)"], check=True)
    hold(libc.malloc(600), 600)


begin()
function, *arguments = sys.argv[1:]
globals()[function](*map(int, arguments))
finish()
