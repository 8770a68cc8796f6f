# SPDX-License-Identifier: BSD-2-Clause
"""flag made: keeps more objects of one class once the first file is there, then writes the second. More
than it keeps comes and goes meanwhile."""
import os
import sys
import time


class Grown:
    def __init__(self, n):
        self.number = n + 0.5


class Registry:
    def __init__(self):
        self.entries = {"kept": [Grown(n) for n in range(1000)]}


registry = Registry()
passing = []
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
for n in range(20000):
    registry.entries["kept"].append(Grown(n))
    passing.append(str(n) * 10)
    if len(passing) == 3000:
        passing.clear()
passing.clear()
with open(sys.argv[2], "w") as file:
    file.write("made")
time.sleep(60)
