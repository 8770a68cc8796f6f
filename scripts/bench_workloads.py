# SPDX-License-Identifier: BSD-2-Clause
"""Benchmark workloads: `bench_workloads.py NAME` runs one once for each line on stdin, and prints
the seconds that it took."""
import builtins
import io
import json
import random
import re
import sys
import threading
import time

random.seed(1)


def seed():
    """a list of a million random ints, sorted into a second one"""
    numbers = [random.randint(0, 1 << 40) for _ in range(1_000_000)]
    return lambda: sorted(numbers) and [random.randint(0, 1 << 40) for _ in range(300_000)]


def loads():
    """json.loads of 20,000 objects"""
    text = json.dumps([{"id": i, "name": "name%d" % i, "tags": ["a", "b", str(i)], "x": i / 3}
                       for i in range(20_000)])
    return lambda: [json.loads(text) for _ in range(8)]


def pandas_csv():
    """pandas: read_csv and groupby"""
    import pandas
    text = "key,a,b\n" + "".join("%d,%d,%f\n" % (i % 1000, i, i / 7) for i in range(200_000))

    def run():
        for _ in range(4):
            table = pandas.read_csv(io.StringIO(text))
            table["c"] = table["a"] * table["b"]
            table.groupby("key").sum()
    return run


def bytes_loop():
    """bytes objects of 600 to 3600 B, made and dropped: the worst case"""
    def run():
        for i in range(500_000):
            bytes(600 + i % 3000)
    return run


def batch():
    """bytes objects of 600 to 3600 B in batches of 50,000, of which one in a hundred stays: many
    are alive"""
    kept = []

    def run():
        for _ in range(10):
            made = [bytes(600 + i % 3000) for i in range(50_000)]
            kept.extend(made[::100])
    return run


def grow():
    """200 MB more of bytes objects, each time: the worst case for mode rss"""
    kept = []
    return lambda: kept.append([bytes(1000) for _ in range(200_000)])


def strings():
    """regular expressions and strings"""
    text = "the quick brown fox, 12345, jumps over the lazy dog; " * 2000
    word, number = re.compile(r"\b(\w)(\w*)\b"), re.compile(r"\d+")

    def run():
        for _ in range(5):
            number.sub("n", word.sub(lambda m: m[1].upper() + m[2], text)).split(";")
    return run


def templates():
    """Jinja2 templates, rendered in a loop"""
    import jinja2
    template = jinja2.Environment(autoescape=True).from_string(
        "<table>{% for row in rows %}<tr>{% for c in row %}<td>{{ c }}</td>{% endfor %}</tr>"
        "{% endfor %}</table>")
    rows = [[i, "name %d" % i, i / 3, "<b>"] for i in range(200)]
    return lambda: [template.render(rows=rows) for _ in range(150)]


def polars_frame():
    """polars, which has its own allocator and threads"""
    import polars
    text = ("key,a,b\n" + "".join("%d,%d,%f\n" % (i % 1000, i, i / 7)
                                  for i in range(500_000))).encode()

    def run():
        for _ in range(8):
            table = polars.read_csv(io.BytesIO(text))
            table.group_by("key").agg(polars.col("b").sum()).sort("key")
    return run


def threads():
    """8 threads that allocate"""
    def work():
        for i in range(30_000):
            bytearray(600 + i % 3000)

    def run():
        workers = [threading.Thread(target=work) for _ in range(8)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
    return run


def server():
    """an idle web server: the latencies of 40 requests, 20 a second"""
    import http.client
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = json.dumps({"path": self.path, "data": list(range(2000))}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()

    def run():
        busy = 0
        for _ in range(40):
            time.sleep(0.05)
            start = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", httpd.server_port)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            busy += time.perf_counter() - start
        return busy
    return run


WORKLOADS = {f.__name__: f for f in (seed, loads, pandas_csv, bytes_loop, batch, grow, strings,
                                     templates, polars_frame, threads, server)}


def wait():
    """Waits for the next line. A debugger that attaches, as memray's does, can make a read fail
    with ERESTARTSYS, an error that no program should see."""
    while True:
        try:
            return sys.stdin.readline()
        except OSError:
            pass


def main():
    run = WORKLOADS[sys.argv[1]]()
    if hasattr(builtins, "profile"):    # set by memory_profiler
        run = builtins.profile(run)
    run()
    print("ready", flush=True)
    while wait():
        start = time.perf_counter()
        busy = run()
        took = time.perf_counter() - start
        print("took", busy if isinstance(busy, float) else took, flush=True)


if __name__ == "__main__":
    main()
