# SPDX-License-Identifier: BSD-2-Clause
"""A target's own books: what each line that allocates holds.

A program calls hold() on the very line that allocates, and release() when it lets go.
begin() waits until the test has attached. finish() writes the books and waits until the
test has seen enough.
"""
import ctypes
import json
import os
import sys
import sysconfig
import threading

libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p

# allocate(n) asks libc for a block of n + EXTRA bytes. The extra byte is a NUL; since 3.15 it is a
# bytes object. Free-threaded builds take their objects from mimalloc.
allocate, EXTRA = bytearray, 33 if sys.version_info >= (3, 15) else 1
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    allocate, EXTRA = libc.malloc, 0

lock = threading.Lock()
lines = {}
births = {}
stacks = {}


def begin():
    print("ready", flush=True)
    sys.stdin.readline()


def finish():
    write()
    print("done", flush=True)
    sys.stdin.readline()
    os._exit(0)


def write():
    path = "%s.%d" % (os.environ["BOOKS"], os.getpid())
    with open(path + ".new", "w") as file:
        json.dump({"lines": [dict(file=f, line=l, **row) for (f, l), row in lines.items()],
                   "stacks": [dict(bytes=b, frames=s) for b, s in stacks.items()]}, file)
    os.rename(path + ".new", path)


def forget():
    """For a forked child: what the parent holds is not the child's."""
    lines.clear()
    births.clear()
    stacks.clear()


def _row(place):
    return lines.setdefault(place, {"bytes": 0, "count": 0, "mapped_bytes": 0,
                                    "mapped_count": 0, "maps": False})


def _place(depth):
    frame = sys._getframe(depth)
    return frame.f_code.co_filename, frame.f_lineno


def hold(key, size, kind="", place=None):
    """Notes that the caller's line holds size more bytes, as one block. Returns key."""
    place = place or _place(2)
    with lock:
        row = _row(place)
        row[kind + "bytes"] += size
        row[kind + "count"] += 1
        row["maps"] |= bool(kind)
        births[key] = place, size, kind
    return key


def release(key):
    with lock:
        place, size, kind = births.pop(key)
        row = _row(place)
        row[kind + "bytes"] -= size
        row[kind + "count"] -= 1
    return key


def shrink(key, size):
    """Notes that size bytes of a mapping are gone."""
    with lock:
        place, old, kind = births[key]
        births[key] = place, old - size, kind
        _row(place)[kind + "bytes"] -= size


def note_stack(size):
    """Notes the caller's stack for a block of that size, which no other block has. The same line
    must call allocate() with the result."""
    frame, stack = sys._getframe(1), []
    while frame:
        code = frame.f_code
        stack.append([code.co_filename, frame.f_lineno, getattr(code, "co_qualname", code.co_name),
                      code.co_name])
        frame = frame.f_back
    stacks[size] = stack
    return size - EXTRA
