# SPDX-License-Identifier: BSD-2-Clause
"""PYTHON: what lines have outstanding of the allocators inside Arrow, loaded after the attach, is what
Arrow's own books say."""
import json
import sys

from harness import Recording, Target, check, check_nothing_lost, process_of, read_until

# The buffers' own objects, of libc: a few hundred bytes each.
SLACK = 700 * 400

target = Target(sys.argv[1], "arrow_pools.py")
recording = Recording("-p", str(target.pid), "-m", "heap", "-f", "json")
target.go()
read_until(target.process.stdout, "loaded", "the target")
recording.messages += read_until(recording.process.stderr, "that it has loaded is followed", "pymemtop")
target.go()
said = read_until(target.process.stdout, "done", "the target")
books = {}
for line in said[:-1]:
    books.update(json.loads(line))
process = process_of(json.loads(recording.stop()), target.pid)
check_nothing_lost(process)
check({"jemalloc", "mimalloc"} <= set(books), "Arrow has no allocators but", books)
lines = [line for line in process["lines"] if line["file"].endswith("/arrow_pools.py")]
outstanding = sum(line["outstanding_bytes"] for line in lines)
mapped = sum(line["mapped_bytes"] for line in lines)
print("Arrow's books say %s, its lines have %d and mapped %d" % (books, outstanding, mapped))
check(0 <= outstanding - sum(books.values()) < SLACK, "lines have", outstanding, "of", books)
check(mapped == 0, "allocators' own mappings count as the lines':", mapped)
target.end()
