# SPDX-License-Identifier: BSD-2-Clause
"""A new format, mode or command takes one file and one line, and then works and is in the help."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
NEW = {
    "user/render/dummy.c": '''#include "render/renderer.h"
static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	(void)options;
	return fprintf(out, "dummy of %s\\n", profile->mode) < 0;
}
const struct renderer dummy_renderer = {.name = "dummy", .help = "a dummy format", .render = render};
''',
    "user/cli/dummy.c": '''#include "cli/options.h"
static int run(const struct options *options)
{
	(void)options;
	return 77;
}
static const struct argp argp = {.doc = "a dummy command"};
const struct command dummy_command = {.name = "dummy", .help = "a dummy command", .argp = &argp, .run = run};
''',
}
LINES = {"user/render/renderers.c": "json", "user/modes/modes.c": "rss", "user/cli/commands.c": "record"}


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


work = tempfile.mkdtemp()
try:
    for name in "Makefile", "user", "bpf", "vmlinux":
        (shutil.copytree if os.path.isdir(os.path.join(TOP, name)) else shutil.copy)(
            os.path.join(TOP, name), os.path.join(work, name))
    with open(os.path.join(work, "user/modes/lines.c")) as file:
        NEW["user/modes/dummy.c"] = re.sub(r"what the resident memory gained[^\"]*", "a dummy mode", file.read()).replace(
            '"lines"', '"dummy"').replace("lines_mode", "dummy_mode")
    for path, text in NEW.items():
        with open(os.path.join(work, path), "w") as file:
            file.write(text)
    edits = len(NEW)
    for path, entry in LINES.items():
        with open(os.path.join(work, path)) as file:
            text = file.read()
        text, n = re.subn(r"(\tENTRY\(%s\) *\\\n)" % entry, r"\1\tENTRY(dummy) \\\n", text)
        assert n == 1, path
        edits += n
        with open(os.path.join(work, path), "w") as file:
            file.write(text)
    made = run("make", "-C", work, "-j2", "MANUAL=")
    assert made.returncode == 0, made.stdout[-3000:]
    program = os.path.join(work, "pymemtop")
    assert run(program, "dummy").returncode == 77
    assert "dummy      a dummy command" in run(program, "--help").stdout
    assert "dummy: a dummy mode" in re.sub(r"\s+", " ", run(program, "--help").stdout)
    assert "dummy: a dummy format" in re.sub(r"\s+", " ", run(program, "record", "--help").stdout)
    if not os.geteuid() and os.path.exists("/sys/kernel/btf/vmlinux"):
        said = run(program, "record", "-m", "dummy", "-f", "dummy", "--", sys.executable, "-c", "pass")
        assert "dummy of dummy" in said.stdout, said.stdout
    print("%d files and %d lines for a format, a mode and a command" % (len(NEW), edits - len(NEW)))
finally:
    shutil.rmtree(work)
