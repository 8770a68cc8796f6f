# SPDX-License-Identifier: BSD-2-Clause
"""Measures what one event costs as things grow: live blocks, stack depth, sites, threads,
processes. The time is the BPF programs' own, from the kernel's counters
(kernel.bpf_stats_enabled): the tool's part of the cost, without the traps.

Writes build/bench/growth.json and doc/growth.svg, and prints the table.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from harness import Recording, counted_programs, program_counts, read_until     # noqa: E402

PYTHON = "/usr/bin/python3.11"

TARGET = """
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
PAIRS = 100_000

def pairs(n=PAIRS):
    for i in range(n):
        bytes(1000)

def blocks(n):
    make = libc.malloc
    for i in range(n):
        make(24)
    return pairs

def depth(n):
    def down(k):
        if k > 2:
            return down(k - 1)
        return pairs()
    return lambda: down(n)

def sites(n):
    source = "def f%d(): bytes(1000)\\n"
    made = {}
    exec("".join(source % i for i in range(n)), made)
    functions = [made["f%d" % i] for i in range(n)]
    def run():
        for i in range(max(PAIRS // n, 1)):
            for f in functions: f()
    run()
    return run

def threads(n):
    def run():
        workers = [threading.Thread(target=pairs, args=(PAIRS // n,)) for _ in range(n)]
        [w.start() for w in workers]
        [w.join() for w in workers]
    return run

def processes(n):
    def run():
        for _ in range(n - 1):
            if not os.fork():
                pairs(PAIRS // n)
                os._exit(0)
        pairs(PAIRS // n)
        for _ in range(n - 1):
            os.wait()
    return run

print("ready", flush=True)
sys.stdin.readline()
run = globals()[sys.argv[1]](int(sys.argv[2]))
run()
print("grown", flush=True)
for line in sys.stdin:
    run()
    print("done", flush=True)
"""

AXES = {
    "blocks": [10 ** 3, 10 ** 4, 10 ** 5, 10 ** 6, 10 ** 7],
    "depth": [2, 5, 10, 20, 50, 100],
    "sites": [10, 100, 1000, 10_000, 100_000],
    "threads": [1, 2, 4, 8, 16],
    "processes": [1, 2, 5, 10, 20, 50],
}
LABELS = {"blocks": "live blocks", "depth": "frames of the stack", "sites": "sites",
          "threads": "threads", "processes": "processes"}


def counters(pid):
    counts = program_counts(pid)
    return {"ns": sum(ns for _, ns in counts.values()), "leaves": counts["pymemtop_leave"][0]}


def measure(axis, size):
    """Returns the nanoseconds that BPF programs take for one allocation and its free."""
    target = subprocess.Popen([PYTHON, "-c", TARGET, axis, str(size)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, bufsize=1)
    read_until(target.stdout, "ready", axis)
    recording = Recording("-p", str(target.pid), "--max-frames", "128",
                          "--max-blocks", "20000000", "--max-sites", "262144")
    target.stdin.write("go\n")
    read_until(target.stdout, "grown", axis)
    best = None
    for _ in range(3):
        before = counters(recording.process.pid)
        target.stdin.write("go\n")
        read_until(target.stdout, "done", axis)
        after = counters(recording.process.pid)
        cost = (after["ns"] - before["ns"]) / (after["leaves"] - before["leaves"])
        best = cost if best is None else min(best, cost)
    recording.stop()
    target.kill()
    target.wait()
    return best


def svg(results):
    """Draws one small chart per axis, side by side."""
    width, height, gap = 180, 160, 60
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="11">' % (len(AXES) * (width + gap) + gap, 240),
           '<rect width="100%" height="100%" fill="white"/>']
    most = max(ns for points in results.values() for _, ns in points) * 1.1
    for number, (axis, points) in enumerate(results.items()):
        left = gap + number * (width + gap)
        out.append('<text x="%d" y="20" font-weight="bold">%s</text>' % (left, LABELS[axis]))
        out.append('<path d="M%d 30V%dH%d" fill="none" stroke="black"/>'
                   % (left, 30 + height, left + width))
        for tick in range(0, int(most) + 1, 2000):
            y = 30 + height - tick / most * height
            out.append('<text x="%d" y="%.0f" text-anchor="end" fill="#666">%d</text>'
                       % (left - 4, y + 4, tick))
            out.append('<path d="M%d %.1fh%d" stroke="#ddd"/>' % (left, y, width))
        places = [(left + i * width / (len(points) - 1), 30 + height - ns / most * height)
                  for i, (_, ns) in enumerate(points)]
        out.append('<polyline points="%s" fill="none" stroke="#c33" stroke-width="2"/>'
                   % " ".join("%.1f,%.1f" % place for place in places))
        for (x, y), (size, _) in zip(places, points):
            out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="#c33"/>' % (x, y))
            label = "%d" % size if size < 10_000 else "1e%d" % (len(str(size)) - 1)
            out.append('<text x="%.1f" y="%d" text-anchor="middle">%s</text>'
                       % (x, 45 + height, label))
    out.append('<text x="10" y="225" fill="#666">ns of BPF programs for one allocation and its '
               'free; CPython 3.11, Linux %s, %d CPUs</text>' % (os.uname().release,
                                                                os.cpu_count()))
    return "\n".join(out + ["</svg>", ""])


def main():
    results = {}
    with counted_programs():
        for axis in AXES:
            results[axis] = [(size, measure(axis, size)) for size in AXES[axis]]
            print("| %s | %s |" % (LABELS[axis], " | ".join(
                "%d: %.0f ns" % point for point in results[axis])), flush=True)
    os.makedirs(os.path.join(HERE, "..", "build", "bench"), exist_ok=True)
    with open(os.path.join(HERE, "..", "build", "bench", "growth.json"), "w") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(HERE, "..", "doc", "growth.svg"), "w") as file:
        file.write(svg(results))


if __name__ == "__main__":
    main()
