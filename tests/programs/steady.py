# SPDX-License-Identifier: BSD-2-Clause
"""Does the same work each time it is asked, and keeps nothing."""
import sys
import time


def batch():
    for i in range(20_000):
        x = bytes(600 + i % 1000)
    return x


batch()
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    batch()
    print("done", time.perf_counter() - start, flush=True)
