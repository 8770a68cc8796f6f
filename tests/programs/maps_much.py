# SPDX-License-Identifier: BSD-2-Clause
"""go: once that file is there, maps 64 MiB on line 15, 32 MiB of shared memory on line 16, and a file on a
disk on line 17, and takes 1,000 bytes on many others; then waits."""
import mmap
import os
import sys
import time

kept, shared, disk = [], os.memfd_create("shared"), os.open(sys.argv[2], os.O_RDWR | os.O_CREAT)
os.ftruncate(shared, 32 << 20)
os.ftruncate(disk, 8 << 20)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
exec("\n".join(["kept.append(bytearray(1000))"] * 40))
kept.append(mmap.mmap(-1, 64 << 20))
kept.append(mmap.mmap(shared, 32 << 20))
kept.append(mmap.mmap(disk, 8 << 20))
open(sys.argv[1] + ".done", "w").close()
time.sleep(600)
