# SPDX-License-Identifier: BSD-2-Clause
"""python: what inspect says of malloc's heaps is what malloc says itself, and what it says malloc_trim() would give back
is what the process then gives back. The parts add up to the resident memory."""
import json
import subprocess
import sys

from harness import PYMEMTOP, Interpreter, check

MIB = 1 << 20


def inspect(pid):
    done = subprocess.run([PYMEMTOP, "inspect", "-p", str(pid), "--no-holders", "-f", "json"], stdout=subprocess.PIPE,
                          check=True, text=True)
    process, = json.loads(done.stdout)["processes"]
    return process


def compare(process, said):
    """said: free blocks, their bytes, resident or not, RssAnon."""
    count, size, anonymous = map(int, said.split())
    print("malloc: %d free blocks, %d bytes; inspect: %d, %d resident of %d in %d heaps, largest %d, can be trimmed %d"
          % (count, size, process["malloc_free_blocks"], process["malloc_free_bytes"],
             process["malloc_resident_bytes"], process["malloc_heaps"], process["malloc_largest_free_bytes"],
             process["malloc_trimmable_bytes"]))
    # Saying it takes and frees some blocks.
    check(abs(process["malloc_free_blocks"] - count) < 50, "free blocks")
    check(process["malloc_free_bytes"] < size + MIB, "free bytes")
    check(not process["malloc_unclear_heaps"] and process["malloc_heaps"] >= 2, "heaps")
    check(abs(process["anonymous_bytes"] - anonymous) < MIB, "anonymous", process["anonymous_bytes"], anonymous)
    rss = process["anonymous_bytes"] + process["file_bytes"] + process["shared_bytes"]
    check(abs(rss - process["rss_bytes"]) < MIB, "RSS", rss, process["rss_bytes"])
    known = process["resident_pool_bytes"] + process["malloc_resident_bytes"]
    check(process["pool_bytes"] < process["resident_pool_bytes"] and known < process["anonymous_bytes"], "parts")
    return size, anonymous


target = Interpreter(sys.argv[1]).run("fragmented.py")
said = target.stdout.readline()
before = inspect(target.pid)
size, anonymous = compare(before, said)
check(before["malloc_free_bytes"] > size - MIB, "all of it is resident")
target.stdin.write("trim\n")
said = target.stdout.readline()
after = inspect(target.pid)
_, left = compare(after, said)
print("given back: %d, %d were said" % (anonymous - left, before["malloc_trimmable_bytes"]))
check(before["malloc_trimmable_bytes"] > 100 * MIB, "holes")
check(abs(anonymous - left - before["malloc_trimmable_bytes"]) < MIB, "trimmed")
check(after["malloc_trimmable_bytes"] < MIB, "still", after["malloc_trimmable_bytes"])
used = [process["malloc_resident_bytes"] - process["malloc_free_bytes"] for process in (before, after)]
check(abs(used[0] - used[1]) < MIB // 4, "in use", used)
target.stdin.close()
target.wait()
