# SPDX-License-Identifier: BSD-2-Clause
"""On each line that it is told, keeps so many more blocks of 10,000 bytes; answers with how many bytes it has kept."""
import sys

kept = []


def keep(n):
    for _ in range(n):
        kept.append(bytearray(b"x" * 9_999))


print("ready", flush=True)
for line in sys.stdin:
    keep(int(line))
    print(len(kept) * 10_000, flush=True)
