# SPDX-License-Identifier: BSD-2-Clause
"""Allocates a little, all the time."""
import time

kept = []
while True:
    kept.append(bytearray(1000))
    del kept[:-100]
    time.sleep(0.01)
