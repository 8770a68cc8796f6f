# SPDX-License-Identifier: BSD-2-Clause
"""What pymemtop fleet says of a real Prometheus: shapes that were put into it, and daemons that it scrapes."""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from check_serve import Program, free_port, served
from harness import DEADLINE, PYMEMTOP, check, wait_for

HOUR = 3600
STEP = 300
MIB = 1 << 20
HOSTS = 12


@contextlib.contextmanager
def prometheus(work, config):
    port = free_port()
    path = os.path.join(work, "prometheus.yml")
    with open(path, "w") as file:
        file.write(config)
    with open(os.path.join(work, "log"), "w") as log:
        process = subprocess.Popen(
            ["prometheus", "--config.file=" + path, "--storage.tsdb.path=" + os.path.join(work, "data"),
             "--web.listen-address=127.0.0.1:%d" % port, "--storage.tsdb.retention.time=30d"],
            stdout=log, stderr=subprocess.STDOUT, cwd=work)
    url = "http://127.0.0.1:%d" % port

    def is_ready():
        try:
            return urllib.request.urlopen(url + "/-/ready", timeout=5).status == 200
        except OSError:
            return False

    try:
        wait_for(is_ready)
        yield url
    finally:
        process.kill()
        process.wait()


def fleet(url, *args):
    done = subprocess.run([PYMEMTOP, "fleet", "--prometheus", url, *args], capture_output=True, text=True,
                          timeout=DEADLINE)
    return done.returncode, done.stdout, done.stderr


# What a line has on a host, h hours after the beginning; None: the program does not run.
def leaks(host, h):
    return 50 * MIB + 4 * MIB * h


def leaks_and_restarts(host, h):
    begun = (h + host / 2) % 9    # each host's restart is at another time
    return 20 * MIB + 5 * MIB * begun


def rolls_out(host, h):
    """A release in waves, which does not mend it."""
    return 10 * MIB + 3 * MIB * (h if h < 8 + host / 4 else h - 8 - host / 4)


def saw(host, h):
    return 30 * MIB + 40 * MIB * ((h + host / 7) % 2)


def warms_up(host, h):
    return 400 * MIB * (1 - 2.718 ** (-h / 2))


def steps(host, h):
    return 300 * MIB if h > 15 else 80 * MIB


def one_host(host, h):
    return 60 * MIB + (20 * MIB * h if host == 3 else 0)


def busy(host, h):
    return 500 * MIB + 30 * MIB * random.random()


SHAPES = {leaks: "leak", leaks_and_restarts: "leak", rolls_out: "leak", saw: "comes and goes", warms_up: "fills up",
          steps: "step", one_host: "one host", busy: "steady"}


def write_shapes(path, end, hours):
    random.seed(1)
    with open(path, "w") as file:
        file.write("# TYPE pymemtop_outstanding_bytes gauge\n")
        for number, shape in enumerate(SHAPES):
            for host in range(HOSTS):
                labels = 'program="shop",container="",mode="heap",file="/srv/app.py",line="%d",function="%s",' \
                    'instance="host%d"' % (number + 1, shape.__name__, host)
                for at in range(int(end - hours * HOUR), int(end) + 1, STEP):
                    h = (at - (end - hours * HOUR)) / HOUR
                    file.write("pymemtop_outstanding_bytes{%s} %d %d\n" % (
                        labels, shape(host, h) * (1 + 0.002 * random.random()), at))
        file.write("# EOF\n")


def backfill(work, write, *args):
    path = os.path.join(work, "samples")
    write(path, *args)
    done = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path,
                           os.path.join(work, "data")], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr[-2000:])


@contextlib.contextmanager
def victoria_metrics(work):
    """Another engine, with what is in the file of samples: it takes milliseconds."""
    port = free_port()
    url = "http://127.0.0.1:%d" % port
    with open(os.path.join(work, "log"), "w") as log:
        process = subprocess.Popen(
            ["victoria-metrics", "-storageDataPath=" + os.path.join(work, "vm"), "-httpListenAddr=127.0.0.1:%d" % port,
             "-search.latencyOffset=0s", "-retentionPeriod=12"], stdout=log, stderr=subprocess.STDOUT, cwd=work)

    def is_ready():
        try:
            return urllib.request.urlopen(url + "/health", timeout=5).status == 200
        except OSError:
            return False

    def count():
        with urllib.request.urlopen(url + "/api/v1/query?query=count(pymemtop_outstanding_bytes)", timeout=10) as file:
            result = json.load(file)["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    try:
        wait_for(is_ready)
        with open(os.path.join(work, "samples")) as file:
            lines = [line.rsplit(" ", 1) for line in file if not line.startswith("#")]
        body = "".join("%s %s000\n" % (sample, at.strip()) for sample, at in lines).encode()
        urllib.request.urlopen(urllib.request.Request(url + "/api/v1/import/prometheus", data=body), timeout=DEADLINE)
        urllib.request.urlopen(url + "/internal/force_flush", timeout=DEADLINE)
        wait_for(lambda: count() == HOSTS * len(SHAPES))
        yield url
    finally:
        process.kill()
        process.wait()


def shapes(kind="prometheus"):
    """Each is told for what it is; leaks come first, whatever else is larger or grows more at the moment."""
    with tempfile.TemporaryDirectory() as work:
        end = time.time() // STEP * STEP
        if kind == "prometheus":
            backfill(work, write_shapes, end, 24)
            engine = prometheus(work, "global: {scrape_interval: 15s}\n")
        else:
            write_shapes(os.path.join(work, "samples"), end, 24)
            engine = victoria_metrics(work)
        with engine as url:
            status, text, said = fleet(url, "--since", "24h", "--json", "--show-query")
            check(status == 0 and "# topk(" in said, said)
            lines = json.loads(text)["lines"]
            got = {line["function"]: line["trend"] for line in lines}
            wanted = {shape.__name__: trend for shape, trend in SHAPES.items()}
            for line in lines:
                print("%-20s %-15s %2d of %2d %8.2f MiB/h since %s on %s" % (
                    line["function"], line["trend"], line["growing_hosts"], line["hosts"],
                    line["bytes_an_hour"] / MIB, line.get("since"), line.get("first_host")))
            check(got == wanted, "taken for:", {name: (got.get(name), trend) for name, trend in wanted.items()
                                               if got.get(name) != trend})
            check([line["trend"] for line in lines][:3] == ["leak"] * 3, "leaks do not come first")
            slopes = {line["function"]: line["bytes_an_hour"] / MIB for line in lines}
            for name, slope in ("leaks", 4), ("leaks_and_restarts", 5), ("rolls_out", 3):
                check(abs(slopes[name] / HOSTS - slope) < slope / 5, name, "grows by", slopes[name] / HOSTS)
            status, text, said = fleet(url, "--since", "24h")
            print(text)
            check(status == 0 and "/srv/app.py:1 (leaks)" in text, said)
            status, text, said = fleet(url, "diff", "--before", "20h", "--after", "1h", "--json")
            changes = {row["function"]: row for row in json.loads(text)["changes"]}
            check(abs(changes["leaks"]["change_bytes"] / MIB - 19 * 4) < 4, changes["leaks"])
            check(abs(changes["steps"]["change_bytes"] / MIB - 220) < 4, changes["steps"])
            refused(url)


def refused(url):
    """What cannot be answered is one clear line, and no half of a table."""
    for args, words in (([url, "--program", "("], "refuses the query"), ([url + "/nothing"], "address right"),
                        ([url, "--program", "no such program"], "no lines of pymemtop"),
                        (["http://127.0.0.1:1"], "cannot be asked")):
        status, text, said = fleet(*args)
        check(status == 1 and not text and words in said and len(said.splitlines()) == 1, args, status, text, said)
    for args in ([url, "--since", "x"], [url, "--since", "1s"], [url, "--before", "1h"], [url, "diff"], ["ftp://x"]):
        check(fleet(*args)[0] == 2, args, "was taken")


def scrapes():
    """Three daemons with a program that leaks on all of them, and one that is only busy on one."""
    programs = [Program() for _ in range(3)]
    busy = Program()
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        pids = ["%d" % programs[0].pid, "%d" % programs[1].pid, "%d,%d" % (programs[2].pid, busy.pid)]
        ports = [stack.enter_context(served("-p", pid, "-m", "heap")) for pid in pids]
        url = stack.enter_context(prometheus(work, """
global: {scrape_interval: 1s}
scrape_configs:
- job_name: pymemtop
  static_configs:
  - targets: [%s]
""" % ", ".join("'127.0.0.1:%d'" % port for port in ports)))
        busy.keep(3000)
        end = time.time() + 45
        while time.time() < end:
            for program in programs:
                program.keep(5)
            time.sleep(1)
        status, text, said = fleet(url, "--since", "60s", "--json")
        check(status == 0, said)
        first = json.loads(text)["lines"][0]
        print(first)
        check((first["function"], first["trend"], first["growing_hosts"], first["hosts"]) ==
              ("keep", "leak", 3, 3), first)
    for program in *programs, busy:
        program.end()


{"shapes": shapes, "scrapes": scrapes}[sys.argv[1]](*sys.argv[2:])
