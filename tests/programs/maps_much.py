# SPDX-License-Identifier: BSD-2-Clause
"""go: once that file is there, maps 64 MiB on line 12, and takes 1,000 bytes on many others; then waits."""
import mmap
import os
import sys
import time

kept = []
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
exec("\n".join(["kept.append(bytearray(1000))"] * 40))
kept.append(mmap.mmap(-1, 64 << 20))
open(sys.argv[1] + ".done", "w").close()
time.sleep(600)
