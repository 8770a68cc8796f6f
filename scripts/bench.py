# SPDX-License-Identifier: BSD-2-Clause
"""Benchmarks whole programs, alone and under pymemtop and other profilers.

Each round measures every condition once, interleaved. Each run is a process of its own that
times itself after a warm-up, so start-up and attaching do not count. Ratios are to the run
alone of the same round; the table shows their median, minimum and maximum.
All measurements go to build/bench/bench.json unprocessed.
"""
import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
sys.path.insert(0, HERE)
from bench_workloads import WORKLOADS       # noqa: E402
from harness import Recording, read_until   # noqa: E402

PYTHON = "/usr/bin/python3.11"
VENV = os.path.join(HERE, "..", "build", "bench", "venv")
# Conditions marked slow are measured only once if their first ratio exceeds this.
SLOW = 15


def venv():
    """A virtual environment of the benchmark's own, for packages from PyPI."""
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(os.path.join(VENV, "ready")):
        subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "memray", "memory_profiler",
                        "scalene", "polars", "jinja2"], check=True)
        open(os.path.join(VENV, "ready"), "w").close()
    return python


class Condition:
    """How to start a workload, and what to do to it before it is timed."""

    def __init__(self, name, start=(), pymemtop=None, attach=None, after=False, slow=False):
        self.name, self.start, self.pymemtop = name, list(start), pymemtop
        self.attach, self.after, self.slow = attach, after, slow

    def measure(self, python, workload):
        """Returns the seconds that one run took, and those that attaching took."""
        with tempfile.TemporaryDirectory() as work:
            start = [part.replace("WORK", work) for part in self.start]
            process = subprocess.Popen(
                [python, *start, os.path.join(HERE, "bench_workloads.py"), workload],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, bufsize=1)
            try:
                read_until(process.stdout, "ready", workload)
                return self.under(python, process, work)
            finally:
                process.kill()
                process.wait()

    def under(self, python, process, work):
        def run():
            process.stdin.write("go\n")
            return float(read_until(process.stdout, "took", self.name)[-1].split()[1])

        profiler, begin = None, time.perf_counter()
        if self.pymemtop is not None:
            profiler = Recording("-p", str(process.pid), "-f", "json", *self.pymemtop)
        if self.attach:
            subprocess.run([python, *[part.replace("WORK", work) for part in self.attach],
                            str(process.pid)], check=True, capture_output=True)
        attached = time.perf_counter() - begin
        run()   # under every condition alike: a heap ages
        if self.after:
            profiler.stop()
            profiler = None
        took = run()
        if profiler:
            profiler.stop()
        return took, attached


CONDITIONS = [
    Condition("alone"),
    Condition("heap/frames", pymemtop=[]),
    Condition("objects", pymemtop=["--mode", "objects"], slow=True),
    Condition("objects floor", pymemtop=["--mode", "objects", "--idle-programs"], slow=True),
    Condition("objects 5 %", pymemtop=["--mode", "objects", "--max-overhead", "5"]),
    Condition("heap --peak", pymemtop=["--peak"]),
    Condition("heap/usdt", pymemtop=["--attribution", "usdt"], slow=True),
    Condition("lines", pymemtop=["--mode", "lines"]),
    Condition("lines --markers", pymemtop=["--mode", "lines", "--markers"], slow=True),
    Condition("rss", pymemtop=["--mode", "rss"]),
    Condition("rss floor", pymemtop=["--mode", "rss", "--idle-programs"]),
    Condition("floor", pymemtop=["--idle-programs"]),
    Condition("naive", pymemtop=["--probe-at-entry"]),
    Condition("after detach", pymemtop=[], after=True),
    Condition("tracemalloc", start=["-X", "tracemalloc"]),
    Condition("memray run", start=["-m", "memray", "run", "-q", "-f", "-o", "WORK/out"]),
    Condition("memray all", start=["-m", "memray", "run", "-q", "-f", "--trace-python-allocators", "-o",
                                   "WORK/out"]),
    Condition("memray attach", attach=["-m", "memray", "attach", "-f", "-o", "WORK/out"]),
    Condition("scalene", start=["-m", "scalene", "run", "-o", "WORK/out"]),
    Condition("memory_profiler", start=["-m", "memory_profiler", "-o", "WORK/out"], slow=True),
]


def measure_all(python, workloads, conditions, rounds):
    results, failed = [], set()
    for number in range(rounds):
        for workload in workloads:
            for condition in conditions:
                key = workload, condition.name
                earlier = [r["ratio"] for r in results
                           if (r["workload"], r["condition"]) == key]
                if key in failed or (condition.slow and earlier and earlier[0] > SLOW):
                    continue
                try:
                    took, attached = condition.measure(python, workload)
                except (SystemExit, subprocess.CalledProcessError, OSError) as error:
                    print("  %s under %s: %s" % (workload, condition.name,
                                                 str(error).splitlines()[0]), file=sys.stderr)
                    failed.add(key)
                    continue
                if condition.name == "alone":
                    alone = took
                results.append({"round": number, "workload": workload,
                                "condition": condition.name, "seconds": took,
                                "ratio": took / alone, "attach_seconds": attached})
                print("  %d %-13s %-16s %8.3f s  %6.2f" % (number, workload, condition.name, took,
                                                           took / alone), file=sys.stderr)
    return results


def table(results, workloads, conditions):
    def ratios(workload, condition):
        return [r["ratio"] for r in results
                if (r["workload"], r["condition"]) == (workload, condition)]

    print("\n| workload | alone, s | %s |" % " | ".join(c.name for c in conditions[1:]))
    print("| --- | --- |" + " --- |" * (len(conditions) - 1))
    for workload in workloads:
        alone = [r["seconds"] for r in results
                 if (r["workload"], r["condition"]) == (workload, "alone")]
        cells = []
        for condition in conditions[1:]:
            values = ratios(workload, condition.name)
            cells.append("-" if not values else "%.2f (once)" % values[0] if len(values) == 1 else
                         "%.2f (%.2f-%.2f)" % (statistics.median(values), min(values),
                                               max(values)))
        print("| %s | %.2f | %s |" % (workload, statistics.median(alone), " | ".join(cells)))
    cells = []
    for condition in conditions[1:]:
        values = [r["attach_seconds"] for r in results if r["condition"] == condition.name]
        attaches = condition.pymemtop is not None or condition.attach
        cells.append("%.2f s" % statistics.median(values) if attaches and values else "-")
    print("| attaching | | %s |" % " | ".join(cells))
    print()
    for workload, name in itertools.product(("bytes_loop", "batch"), ("naive", "floor")):
        added = [(a - 1) / (b - 1) for a, b in zip(ratios(workload, "heap/frames"),
                                                   ratios(workload, name))]
        if added:
            print("%s: the time that heap/frames adds, over what %s adds: %.2f (%.2f-%.2f)"
                  % (workload, name, statistics.median(added), min(added), max(added)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--conditions", default=",".join(c.name for c in CONDITIONS))
    options = parser.parse_args()
    workloads = options.workloads.split(",")
    wanted = options.conditions.split(",")
    conditions = [c for c in CONDITIONS if c.name in wanted or c.name == "alone"]
    python = venv()
    results = measure_all(python, workloads, conditions, options.rounds)
    out = os.path.join(HERE, "..", "build", "bench", "bench.json")
    with open(out, "w") as file:
        json.dump({"machine": platform.platform(), "cpus": os.cpu_count(),
                   "python": PYTHON, "results": results}, file, indent=1)
    print("Linux %s, %d CPUs, CPython %s; ratios to the run alone, median (least-greatest) of "
          "%d rounds" % (platform.release(), os.cpu_count(), platform.python_version(),
                         options.rounds))
    table(results, workloads, conditions)


main()
