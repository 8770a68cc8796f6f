# SPDX-License-Identifier: BSD-2-Clause
"""flag made: keeps more objects of one class once the first file is there, then writes the second."""
import os
import sys
import time


class Grown:
    pass


kept = [Grown() for _ in range(1000)]
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
kept.extend(Grown() for _ in range(20000))
with open(sys.argv[2], "w") as file:
    file.write("made")
time.sleep(60)
