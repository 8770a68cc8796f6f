# SPDX-License-Identifier: BSD-2-Clause
"""Loads pyarrow when told to. When told again, makes, resizes and drops buffers of each of its
allocators, one on each line, and prints what its own books say."""
import json
import sys

print("ready", flush=True)
sys.stdin.readline()
import pyarrow

pools = {name: getattr(pyarrow, name + "_memory_pool")() for name in pyarrow.supported_memory_backends()}
before = {name: pool.bytes_allocated() for name, pool in pools.items()}
print("loaded", flush=True)
sys.stdin.readline()
kept = {name: [] for name in pools}
for name, pool in pools.items():
    for n in range(200):
        kept[name].append(pyarrow.allocate_buffer(100_000 + n, pool, resizable=True))
    for buffer in kept[name][:50]:
        buffer.resize(300_000)
    for buffer in kept[name][50:60]:
        buffer.resize(1_000)
    del kept[name][-25:]
    print(json.dumps({name: pool.bytes_allocated() - before[name]}), flush=True)
print("done", flush=True)
sys.stdin.readline()
