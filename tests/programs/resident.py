# SPDX-License-Identifier: BSD-2-Clause
"""Grows its resident memory in many ways, one per line, and keeps its own books: what the kernel's
RssAnon, or RssShmem, says before and after each."""
import ctypes
import json
import mmap
import os
import sys
import tempfile
import threading

PAGE = 4096
MIB = 1 << 20
PR_SET_THP_DISABLE = 41    # linux/prctl.h
MCL_FUTURE = 2             # asm-generic/mman.h
M_TOP_PAD = -2             # glibc's malloc.h
MAP_POPULATE = 0x8000      # asm-generic/mman-common.h; mmap has it from 3.10 on
LIBC = ctypes.CDLL(None)


def read_size(path, name):
    file = os.open(path, os.O_RDONLY)
    text = os.read(file, 8192)
    os.close(file)
    at = text.index(name) + len(name)
    return int(text[at:text.index(b"kB", at)]) * 1024


def rss_anon():
    return read_size("/proc/self/status", b"RssAnon:")


def rss_shmem():
    return read_size("/proc/self/status", b"RssShmem:")


def exclusive(buffer):
    """Returns the bytes of the buffer's pages that no other process has: bit 56 of their entries in
    /proc/PID/pagemap. Sums over the whole process would change with what the kernel swaps out of
    the other one."""
    start = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    first, last = start // PAGE, (start + len(buffer) - 1) // PAGE
    file = os.open("/proc/self/pagemap", os.O_RDONLY)
    entries = os.pread(file, 8 * (last - first + 1), 8 * first)
    os.close(file)
    return PAGE * sum(byte & 1 for byte in entries[7::8])


class Books:
    def __init__(self):
        self.lines, self.shared = [], []
        self.line = self.before = self.start = 0
        self.read = rss_anon

    def measure(self):
        """Trims first: libc may give back free memory as late as on another line."""
        LIBC.malloc_trim(0)
        return self.read()

    def __enter__(self):
        """Measures the line below."""
        self.line = sys._getframe(1).f_lineno + 1
        self.before = self.measure()

    def __exit__(self, *_):
        lines = self.shared if self.read is rss_shmem else self.lines
        lines.append([self.line, self.measure() - self.before])

    def write(self):
        with open("%s.%d" % (os.environ["BOOKS"], os.getpid()), "w") as file:
            json.dump({"lines": self.lines, "shared": self.shared, "start": self.start,
                       "rss_anon": rss_anon()}, file)


books = Books()
held = {}


def private(size, flags=0):
    return mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | flags)


def touch(mapping, step=PAGE, start=0):
    for at in range(start, len(mapping), step):
        mapping[at] = 1


def grow_list(n):
    grown = []
    for i in range(n):
        grown.append(None)
    return grown


def blocks():
    with books:
        held["bytes"] = bytearray(30 * MIB)
    with books:
        held["small"] = [object() for i in range(400_000)]
    with books:
        held["strings"] = {i: str(i) for i in range(300_000)}
    zeros = os.memfd_create("zeros")
    os.ftruncate(zeros, 20 * MIB)
    with books:
        held["read"] = os.pread(zeros, 20 * MIB, 0)
    with books:
        held["list"] = grow_list(3_000_000)


def mappings():
    held["half"] = half = private(40 * MIB)
    with books:
        for at in range(0, len(half), 2 * PAGE): half[at] = 1
    held["dropped"] = dropped = private(16 * MIB)
    with books:
        for at in range(0, len(dropped), PAGE): dropped[at] = 1
    dropped.madvise(mmap.MADV_DONTNEED, 4 * MIB, 8 * MIB)
    books.lines[-1][1] -= 8 * MIB
    held["moved"] = moved = private(6 * MIB)
    wall = private(6 * MIB)
    with books:
        for at in range(0, len(moved), PAGE): moved[at] = 1
    moved.resize(64 * MIB)
    wall.close()
    gone = private(10 * MIB)
    touch(gone)
    gone.close()


def threads():
    def work():
        with books:
            held["thread"] = bytearray(12 * MIB)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def trimmed():
    """libc gives back free memory at the end of its heap."""
    with books:
        held["kept"] = [bytearray(5000) for i in range(2000)]
    more = [bytearray(5000) for i in range(2000)]
    del more


def child():
    """Memory shared with the parent is from before; what the child writes to is its own."""
    held["shared"] = shared = bytearray(8 * MIB)
    ready, alive = os.pipe(), os.pipe()
    if os.fork():
        os.read(ready[0], 1)
        return
    books.lines.clear()
    books.start = 0
    books.read = lambda: exclusive(shared)
    with books:
        for at in range(0, len(shared), PAGE): shared[at] = 2
    books.read = rss_anon
    with books:
        held["own"] = bytearray(5 * MIB)
    books.write()
    os.write(ready[1], b".")
    os.close(alive[1])
    os.read(alive[0], 1)    # until the parent ends
    os._exit(0)


def unseen():
    """Without faults: the kernel makes populated and locked mappings resident at once."""
    with books:
        held["populated"] = private(40 * MIB, MAP_POPULATE)
    with books:
        held["odd"] = [private(PAGE * (1 + i), MAP_POPULATE) for i in range(100)]
    held["locked"] = mapping = private(30 * MIB)
    address = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(mapping)))
    with books:
        locked = LIBC.mlock(address, ctypes.c_size_t(30 * MIB))
    # Otherwise, reading the books grows the heap by 132 KiB, ahead of the measured line.
    LIBC.mallopt(M_TOP_PAD, 0)
    if locked or LIBC.mlockall(MCL_FUTURE):
        raise OSError("mlock")
    with books:
        held["future"] = bytearray(30 * MIB)
    with books:
        held["heap"] = [bytearray(5000) for i in range(6000)]
    LIBC.munlockall()


def shared():
    """Memory that is no process's own."""
    held["memory"] = mapping = mmap.mmap(-1, 8 * MIB)
    books.read = rss_shmem
    with books:
        for at in range(0, 8 * MIB, PAGE): mapping[at] = 1
    books.read = rss_anon
    with tempfile.TemporaryFile() as file:
        file.truncate(4 * MIB)
        held["file"] = copy = mmap.mmap(file.fileno(), 4 * MIB, mmap.MAP_PRIVATE)
    with books:
        for at in range(0, len(copy), 4 * PAGE): copy[at] = 1


def common():
    """Shared memory: anonymous, a file's in memory, what is only read, populated, and given back."""
    books.read = rss_shmem
    held["common"] = mapping = mmap.mmap(-1, 8 * MIB)
    with books:
        for at in range(0, 8 * MIB, PAGE): mapping[at] = 1
    with open("/dev/shm/pymemtop.%d" % os.getpid(), "w+b") as file:
        os.unlink(file.name)
        file.truncate(16 * MIB)
        held["tmpfs"] = mapping = mmap.mmap(file.fileno(), 16 * MIB)
        reader = mmap.mmap(file.fileno(), 16 * MIB, mmap.MAP_SHARED, mmap.PROT_READ)
        private_reader = mmap.mmap(file.fileno(), 16 * MIB, mmap.MAP_PRIVATE, mmap.PROT_READ)
    with books:
        for at in range(0, 16 * MIB, 2 * PAGE): mapping[at] = 1
    # What the kernel maps around a page that is read is that line's, too.
    held["readers"] = reader, private_reader
    with books:
        for at in range(0, 16 * MIB, PAGE): reader[at]
    with books:
        for at in range(0, 4 * MIB, PAGE): private_reader[at]
    with books:
        held["populated"] = mmap.mmap(-1, 4 * MIB, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | MAP_POPULATE)
    held["passing"] = mapping = mmap.mmap(-1, 32 * MIB)
    with books:
        for at in range(0, 32 * MIB, PAGE): mapping[at] = 1
    mapping.close()
    books.shared[-1][1] -= 32 * MIB
    books.read = rss_anon


def many():
    held["many"] = maps = [private(PAGE * (1 + i % 3)) for i in range(10_000)]
    with books:
        for mapping in maps: mapping[0] = 1
    for mapping in maps[::2]:
        mapping.close()
    books.lines[-1][1] -= 5_000 * PAGE


def huge():
    held["huge"] = mapping = private(16 * MIB)
    mapping.madvise(mmap.MADV_HUGEPAGE)
    with books:
        for at in range(0, len(mapping), 2 * MIB): mapping[at] = 1


def numpy():
    import numpy
    with books:
        held["ones"] = numpy.ones(3_000_000)
    with books:
        held["grid"] = [numpy.full(1000, i) for i in range(2000)]


def arrow():
    import pyarrow
    with books:
        held["array"] = pyarrow.array(range(2_000_000))
    with books:
        held["table"] = pyarrow.table({"a": list(range(500_000)), "b": ["x" * 20] * 500_000})


def polars():
    import polars
    with books:
        held["frame"] = polars.DataFrame({"a": range(2_000_000)})
    with books:
        held["sorted"] = held["frame"].with_columns(b=polars.col("a") * 3).sort("b", descending=True)


def torch():
    import torch
    with books:
        held["tensor"] = torch.ones(4_000_000)


def main():
    steps = [globals()[name] for name in sys.argv[1:]]
    # Otherwise khugepaged makes more resident of what allows it (3.15's arenas), at any time, and
    # on any line.
    if huge not in steps and LIBC.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0):
        raise OSError("prctl")
    for i in range(3):
        with books:
            pass
    books.lines.clear()
    print("ready", flush=True)
    sys.stdin.readline()
    books.start = start = rss_anon()
    for step in steps:
        step()
    books.write()
    print("done %d" % (rss_anon() - start), flush=True)
    sys.stdin.readline()
    os._exit(0)


main()
