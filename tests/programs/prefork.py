# SPDX-License-Identifier: BSD-2-Clause
"""A server with workers that it recycles: each keeps 20 blocks of 50,001 bytes; six of eight end. Waits for the
first file, then writes the second."""
import os
import sys
import time

kept = []


def request():
    kept.append(bytes(50_001 - 33))


while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
for worker in range(8):
    ready, there = os.pipe()
    if not os.fork():
        for _ in range(20):
            request()
        os.write(there, b".")
        if worker < 6:
            os._exit(0)
        time.sleep(600)
    os.read(ready, 1)
    if worker < 6:
        os.wait()
with open(sys.argv[2], "w"):
    pass
time.sleep(600)
