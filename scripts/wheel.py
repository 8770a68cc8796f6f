# SPDX-License-Identifier: BSD-2-Clause
"""PROGRAM VERSION MACHINE FOLDER: makes a wheel of the static program, which pip puts into bin/, and of what Python people
need beside it. The same program gives the same wheel, to the byte."""
import base64
import hashlib
import os
import sys
import zipfile

program, version, machine, folder = sys.argv[1:]
# It needs no shared library: any glibc, or musl.
TAGS = ["py3-none-manylinux_2_17_%s" % machine, "py3-none-musllinux_1_1_%s" % machine]
INFO = "pymemtop-%s.dist-info" % version
HERE = os.path.dirname(os.path.abspath(__file__))
METADATA = """Metadata-Version: 2.1
Name: pymemtop
Version: %s
Summary: Which Python file:line holds the memory of a live, unmodified process
License: BSD-2-Clause AND (GPL-2.0-only OR BSD-2-Clause)
Classifier: Environment :: Console
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: Software Development :: Debuggers
Requires-Python: >=3.8
Description-Content-Type: text/markdown

pymemtop shows from outside which line of a running CPython process holds its memory: by eBPF, without a
restart, an import or any change to it. It needs root, and Linux 5.10 or later with BTF:

    sudo $(which pymemtop) -p PID

as sudo has a PATH of its own. `pymemtop doctor` says what works on a machine.

From Python, `pymemtop.record()` records a process and gives a profile; with pytest, `--mem` prints what each test
needs and leaves behind, and tests can be marked `limit_memory("24 MB")` and `limit_leaks("1 MB")`.
"""


def read(path, mode="rb"):
    with open(path, mode) as file:
        return file.read()


files = [
    ("pymemtop-%s.data/scripts/pymemtop" % version, read(program), 0o755),
    (INFO + "/METADATA", (METADATA % version).encode(), 0o644),
    (INFO + "/WHEEL", ("Wheel-Version: 1.0\nGenerator: pymemtop (%s)\nRoot-Is-Purelib: false\n%s" % (
        version, "".join("Tag: %s\n" % tag for tag in TAGS))).encode(), 0o644),
    (INFO + "/entry_points.txt", b"[pytest11]\npymemtop = pymemtop.pytest_plugin\n", 0o644),
    (INFO + "/LICENSE", read(os.path.join(HERE, "..", "LICENSE")), 0o644),
]
package = os.path.join(HERE, "..", "python", "pymemtop")
files += [("pymemtop/" + name, read(os.path.join(package, name)), 0o644) for name in sorted(os.listdir(package))
          if name.endswith((".py", ".typed"))]
# The wheel's own list of what it has (https://packaging.python.org, "Binary distribution format").
record = "".join("%s,sha256=%s,%d\n" % (name, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("="),
                                        len(data)) for name, data, _ in files)
files.append((INFO + "/RECORD", (record + INFO + "/RECORD,,\n").encode(), 0o644))
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "pymemtop-%s-py3-none-%s.whl" % (version, ".".join(tag.split("-")[2] for tag in TAGS)))
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
    for name, data, mode in files:
        entry = zipfile.ZipInfo(name)   # of 1980, as all are
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        wheel.writestr(entry, data)
print("%s, %.1f MB" % (path, os.path.getsize(path) / 1e6))
