# SPDX-License-Identifier: BSD-2-Clause
"""What pymemtop serve answers, beside the books of the programs that it records."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from check_pprof import decode
from harness import DEADLINE, HERE, PROGRAMS, PYMEMTOP, check, read_until

PYTHON = sys.argv[2] if len(sys.argv) > 2 else sys.executable
LINE = 10   # of keeps_on.py, where it keeps


class Program:
    def __init__(self):
        self.process = subprocess.Popen([PYTHON, PROGRAMS + "/keeps_on.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        read_until(self.process.stdout, "ready", "the program")
        self.pid = self.process.pid

    def keep(self, n):
        self.process.stdin.write("%d\n" % n)
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# linux/capability.h
NEEDED = {"DAC_OVERRIDE": 1, "SYS_PTRACE": 19, "SYS_RESOURCE": 24, "PERFMON": 38, "BPF": 39}
SYS_ADMIN = 21


def check_given_up(pid):
    """Of all rights it only has those that it needs, in all its threads, and cannot get others back."""
    allowed = set(NEEDED.values())
    if not os.path.exists("/sys/kernel/tracing/uprobe_events"):
        allowed.add(SYS_ADMIN)
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, thread)) as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        for name in "CapEff", "CapPrm", "CapBnd", "CapInh":
            has = {n for n in range(64) if int(status[name], 16) >> n & 1}
            check(has <= allowed, name, "of a thread has more than is needed:", sorted(has - allowed))
        check(status["NoNewPrivs"].strip() == "1", "it may get others")


@contextlib.contextmanager
def served(*args, host="127.0.0.1"):
    port = free_port()
    process = subprocess.Popen([PYMEMTOP, "serve", "--listen", "%s:%d" % (host, port), *args],
                               stderr=subprocess.PIPE, text=True, bufsize=1)
    try:
        read_until(process.stderr, "serving at", "pymemtop")
        check_given_up(process.pid)
        yield port
        process.send_signal(signal.SIGTERM)
        check(process.wait(DEADLINE) == 0, "serve ended with", process.returncode, process.stderr.read())
    finally:
        process.kill()
        process.wait()


def get(url, context=None, **headers):
    """Returns status, headers and body."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE, context=context) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def samples(text, openmetrics):
    """All samples, by the reference parser."""
    if openmetrics:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
    else:
        from prometheus_client.parser import text_string_to_metric_families as parse
    return [sample for family in parse(text) for sample in family.samples]


def scrape(port, openmetrics=False):
    accept = "application/openmetrics-text; version=1.0.0" if openmetrics else "text/plain"
    status, headers, body = get("http://127.0.0.1:%d/metrics" % port, Accept=accept)
    check(status == 200 and ("openmetrics" in headers["Content-Type"]) == openmetrics, status, headers)
    return body.decode()


def metrics():
    """Lines as the programs' own books have them, two processes of one program as one; and all of a mode is
    RssAnon and what is in shared mappings."""
    programs = [Program(), Program()]
    with served("-p", ",".join(str(p.pid) for p in programs), "-m", "heap,rss") as port:
        kept = sum(program.keep(100 + n) for n, program in enumerate(programs))
        time.sleep(1)   # a profile may be that old
        for openmetrics in False, True:
            text = scrape(port, openmetrics)
            found = samples(text, openmetrics)
            lines = [s for s in found if s.name == "pymemtop_outstanding_bytes" and s.labels["line"] == str(LINE)]
            check(len(lines) == 1, "the line is there", len(lines), "times")
            check(lines[0].labels["program"] == "keeps_on.py" and lines[0].labels["function"] == "keep" and
                  lines[0].labels["mode"] == "heap", lines[0])
            # The list that holds them is the line's, too.
            check(0 <= lines[0].value - kept < 20_000, "it has", lines[0].value, "of", kept)
            processes, = [s.value for s in found if s.name == "pymemtop_processes"]
            check(processes == 2, "processes:", processes)
            resident = sum(s.value for s in found if s.name == "pymemtop_resident_bytes")
            shared = get("http://127.0.0.1:%d/api/v1/profile?mode=rss" % port)[2]
            wanted = sum(p["rss_anon_bytes"] + p["shared_mapped_bytes"] for p in json.loads(shared)["processes"])
            check(abs(resident - wanted) <= 40 * 4096, "resident are", resident, "of", wanted)
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=scrape(port), text=True, capture_output=True)
            check(done.returncode == 0 and not done.stdout + done.stderr, "promtool:", done.stdout, done.stderr)
            print("promtool agrees")
        print("the line has %d of %d bytes, all lines and rests %d of %d" % (lines[0].value, kept, resident, wanted))
    for program in programs:
        program.end()


def pprof():
    """What is there, and what came in a second, of one program."""
    first, second = Program(), Program()
    first.keep(50)
    with served("-p", "%d,%d" % (first.pid, second.pid), "-m", "heap") as port, tempfile.TemporaryDirectory() as work:
        first.keep(70)
        time.sleep(1)
        url = "http://127.0.0.1:%d/debug/pprof/heap" % port
        check(json.loads(get("http://127.0.0.1:%d/api/v1/profile?pid=%d" % (port, second.pid))[2])["processes"][0]["pid"]
              == second.pid, "another process than was asked for")

        def held(query):
            status, headers, body = get(url + query)
            check(status == 200 and headers["Content-Type"] == "application/octet-stream", status, headers)
            path = os.path.join(work, "profile")
            with open(path, "wb") as file:
                file.write(body)
            return {(pid, frames[0][1]): row for (pid, frames), row in decode(path)[1].items()
                    if frames[0][0].endswith("keeps_on.py")}

        rows = held("?pid=%d" % first.pid)
        check(set(pid for pid, _ in rows) == {first.pid}, rows)
        check(0 <= rows[first.pid, LINE][3] - 700_000 < 20_000, "kept before:", rows)
        waiting = subprocess.Popen([sys.executable, "-c", "import urllib.request, sys; sys.stdout.buffer.write("
                                    "urllib.request.urlopen(%r).read())" % (url + "?seconds=3&program=keeps_on.py")],
                                   stdout=subprocess.PIPE)
        time.sleep(1.5)
        second.keep(30)
        path = os.path.join(work, "delta")
        with open(path, "wb") as file:
            file.write(waiting.communicate(timeout=DEADLINE)[0])
        delta = {pid: row for (pid, frames), row in decode(path)[1].items() if frames[0][1] == LINE and any(row)}
        check(set(delta) == {second.pid} and 300_000 <= delta[second.pid][3] < 320_000, "came since:", delta)
        for query in "?seconds=x", "?seconds=-1", "?seconds=99999999", "?mode=none":
            check(get(url + query)[0] == 400, query, "was not refused")
        go = shutil.which("go")
        if go:
            done = subprocess.run([go, "tool", "pprof", "-top", url], capture_output=True, text=True, cwd=work,
                                  env=dict(os.environ, HOME=work))
            check(done.returncode == 0 and "keep" in done.stdout, done.stdout, done.stderr)
            print("go tool pprof agrees:", done.stdout.splitlines()[5])
    first.end()
    second.end()


def clients():
    """Slow, many and hostile ones hurt nobody; and who must not get an answer gets none."""
    program = Program()
    with served("-p", str(program.pid)) as port:
        url = "http://127.0.0.1:%d" % port
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        for n, connection in enumerate(idle):
            connection.sendall([b"GET /metrics HT", b"\0" * 1000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100,
                                os.urandom(5000)][n % 4])
        many = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        for connection in many:
            connection.close()
        check(get(url + "/healthz")[2] == b"ok\n", "no answer beside slow clients")
        check(get(url + "/metrics", Host="example.com")[0] == 403, "it answers under another name")
        check(get(url + "/nothing")[0] == 404, "what is not there")
        check(get(url + "/" + "a" * 40_000)[0] in (404, 414, 431), "a long path")
        request = urllib.request.Request(url + "/metrics", data=b"x" * 100_000)
        try:
            urllib.request.urlopen(request, timeout=DEADLINE)
            check(False, "POST was answered")
        except urllib.error.HTTPError as answer:
            check(answer.code == 405, "POST:", answer.code)
        except (ConnectionError, urllib.error.URLError):
            pass    # it closed the connection before all was sent
        for connection in idle:
            connection.close()
    program.end()


def rights():
    """Another address than this machine's takes TLS and a token, or --open."""
    program = Program()
    with tempfile.TemporaryDirectory() as work:
        certificate, key, token = (os.path.join(work, name) for name in ("certificate", "key", "token"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        with open(token, "w") as file:
            file.write("a token of some length\n")
        command = [PYMEMTOP, "serve", "-p", str(program.pid), "--listen", "0.0.0.0:%d" % free_port()]
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 2 and "--open" in done.stderr, done)
        tls = ["--tls-certificate", certificate, "--tls-key", key, "--token-file", token]
        done = subprocess.run(command + tls, capture_output=True, text=True)
        check(done.returncode == 1 and "others may read it" in done.stderr, done)
        os.chmod(token, 0o600)
        trusted = ssl.create_default_context(cafile=certificate)
        trusted.check_hostname = False
        with served("-p", str(program.pid), *tls, host="0.0.0.0") as port:
            url = "https://127.0.0.1:%d/healthz" % port
            check(get(url, trusted)[0] == 401, "no token was needed")
            check(get(url, trusted, Authorization="Bearer a token of some lengtH")[0] == 401, "a wrong token was taken")
            check(get(url, trusted, Authorization="Bearer a token of some length")[2] == b"ok\n", "the token")
        with served("-p", str(program.pid), "--open", host="0.0.0.0") as port:
            check(get("http://127.0.0.1:%d/healthz" % port, Host="example.com")[2] == b"ok\n", "--open")
    program.end()


def page():
    """A browser shows the line, the flame graph, and no error."""
    program = Program()
    with served("-p", str(program.pid), "-m", "heap") as port, tempfile.TemporaryDirectory() as work:
        program.keep(100)
        time.sleep(1)
        done = subprocess.run([shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
                               "--user-data-dir=" + work, "--virtual-time-budget=8000", "--dump-dom",
                               "http://127.0.0.1:%d/" % port], capture_output=True, text=True, timeout=110)
        check("keeps_on.py:%d (keep)" % LINE in done.stdout, "the line is not on the page:", done.stdout[-3000:])
        check('<p id="error"></p>' in done.stdout, "an error is on the page")
        check(" MiB</td>" in done.stdout or " KiB</td>" in done.stdout, "no amounts")
    program.end()


if __name__ == "__main__":
    os.chdir(HERE)
    {"metrics": metrics, "pprof": pprof, "clients": clients, "rights": rights, "page": page}[sys.argv[1]]()
