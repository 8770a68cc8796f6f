# SPDX-License-Identifier: BSD-2-Clause
"""Leaves holes in malloc's heaps, of two threads. On "trim" gives back what can be given back; then, and at the start,
prints what malloc itself says of its free blocks, and RssAnon."""
import ctypes
import os
import re
import sys
import tempfile
import threading

libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
made, end = threading.Event(), threading.Event()
kept = []


def holes(n, size, every):
    blocks = [bytearray(size) for _ in range(n)]
    kept.append(blocks[::every])
    blocks.clear()


def worker():
    holes(20000, 3000, 50)
    made.set()
    end.wait()


def say():
    """Bytes and number of free blocks, by malloc_info(3): the last total of what is no fastbin's, of all arenas."""
    with tempfile.NamedTemporaryFile() as file:
        stream = libc.fopen(file.name.encode(), b"w")
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        text = file.read().decode()
    count, size = re.findall(r'<total type="rest" count="(\d+)" size="(\d+)"', text)[-1]
    with open("/proc/self/status") as file:
        anonymous = int(re.search(r"RssAnon:\s+(\d+) kB", file.read()).group(1)) * 1024
    print(count, size, anonymous, flush=True)


threading.Thread(target=worker, daemon=True).start()
made.wait()
holes(40000, 2000, 100)
say()
for line in sys.stdin:
    libc.malloc_trim(0)
    say()
