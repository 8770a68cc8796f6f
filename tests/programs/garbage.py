# SPDX-License-Identifier: BSD-2-Clause
"""Overwrites its own objects with what an attacker could write: sizes, tables and types."""
import ctypes
import random
import time

random.seed(3)
kept = []
for n in range(2000):
    kept.append([list(range(20)), {str(k): k for k in range(20)}, set(range(50)), "x" * 300, b"y" * 700,
                 bytearray(900), 10 ** 200, (n,) * 40])
for row in kept:
    for item in row:
        # All behind the reference count and the type; sometimes the type as well.
        for word in range(1 if random.random() < 0.1 else 2, 6):
            value = random.choice([0, 1, -1, 2 ** 31, 2 ** 62, id(item), id(item) + 16, id(kept),
                                   random.getrandbits(63), 4096])
            ctypes.c_int64.from_address(id(item) + 8 * word).value = ctypes.c_int64(value).value
time.sleep(60)
