# SPDX-License-Identifier: BSD-2-Clause
"""Recording a whole host, with processes on it that nobody would make but to hurt: they are left out, or not, and
all others are recorded."""
import glob
import json
import os
import resource
import subprocess
import sys
import tempfile

from check_serve import Program
from harness import PROGRAMS, PYMEMTOP, check, read_until

MOST_SECONDS = 90
MOST_MEMORY = 300 << 20
odd, work = [], tempfile.mkdtemp()


def start(what, *command):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = process.stdout.readline()
    odd.append(process)
    print("%s: %s" % (what, said.strip()))


start("files", sys.executable, PROGRAMS + "/odd_files.py", work)
start("silent code", "unshare", "-Ur", "-m", sys.executable, PROGRAMS + "/silent_code.py")
described = glob.glob(os.path.expanduser("~/.pyenv/versions/3.13.*/bin/python3.13"))
for slot in range(1, 19) if described else ():
    start("layout", described[0], PROGRAMS + "/odd_layout.py", str(slot))
honest = Program()
try:
    log = os.path.join(work, "log")
    with open(log, "w") as file:
        recording = subprocess.Popen([PYMEMTOP, "record", "-v", "-a", "-m", "heap", "-d", "4", "-f", "json", "-o",
                                      work + "/profile"], stderr=subprocess.PIPE, text=True, bufsize=1)
        file.writelines(read_until(recording.stderr, "pymemtop: recording", "pymemtop"))
        kept = honest.keep(100)
        file.write(recording.communicate(timeout=MOST_SECONDS)[1])
    check(recording.returncode == 0, "pymemtop ended with", recording.returncode, open(log).read()[-2000:])
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    check(memory < MOST_MEMORY, "it took", memory, "bytes of memory")
    with open(work + "/profile") as file:
        processes = {process["pid"]: process for process in json.load(file)["processes"]}
    check(honest.pid in processes, "the honest process was not recorded:", sorted(processes))
    line, = [line for line in processes[honest.pid]["lines"] if line["function"] == "keep"]
    check(0 <= line["outstanding_bytes"] - kept < 20_000, "it has", line["outstanding_bytes"], "of", kept)
    print("%d processes recorded, %d MB of memory" % (len(processes), memory >> 20))
finally:
    for process in odd:
        process.kill()
        process.wait()
    honest.end()
