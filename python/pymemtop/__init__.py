# SPDX-License-Identifier: BSD-2-Clause
"""Which file:line holds the memory of a process, from Python: runs the program pymemtop, and reads what it writes.

    with pymemtop.record() as recording:
        work()
    for line in recording.profile.lines[:5]:
        print(line)

It takes root's rights, or sudo that asks for no password; the process itself is not changed.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

__all__ = ["Error", "Frame", "Line", "Profile", "Recording", "Stack", "load", "program", "record"]

# Roles of values that count what is held now, and what there has been since.
HELD = ("inuse_space", "mapped_space")


class Error(Exception):
    """pymemtop cannot do it; the message says why, and what helps."""


class Frame(NamedTuple):
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        place = "%s:%d" % (self.file, self.line) if self.line else self.file
        return "%s (%s)" % (place, self.function) if self.function else place


class Line(NamedTuple):
    """What one line holds, and its values by name: those of the profile's mode (doc/profile.md)."""
    frame: Frame
    held: int
    values: Dict[str, int]

    def __str__(self) -> str:
        return "%s %s" % (size(self.held), self.frame)


class Stack(NamedTuple):
    """The same of a stack; its frames from the innermost on."""
    frames: Tuple[Frame, ...]
    held: int
    values: Dict[str, int]


def size(n: float) -> str:
    """As pymemtop writes sizes: "1.2 MiB"."""
    sign, n = "-" if n < 0 else "", abs(n)
    for unit in "B", "KiB", "MiB", "GiB":
        if n < 1024 or unit == "GiB":
            break
        n /= 1024
    return "%s%.*f %s" % (sign, unit != "B", n, unit)


class Profile:
    """What pymemtop has written as json, of all its processes together."""

    def __init__(self, text: str):
        self.raw = json.loads(text)
        if not str(self.raw.get("schema", "")).startswith("pymemtop.profile/"):
            raise Error("that is no profile of pymemtop's")
        self.mode: str = self.raw["mode"]
        self.names: List[str] = [value["name"] for value in self.raw["values"]]
        self._held = [value["name"] for value in self.raw["values"] if value["role"] in HELD]

    def _values(self, row) -> Dict[str, int]:
        return {name: row.get(name, 0) for name in self.names}

    def _held_by(self, values: Dict[str, int]) -> int:
        return sum(values[name] for name in self._held)

    @property
    def lines(self) -> List[Line]:
        """What holds most comes first."""
        sums: Dict[Frame, Dict[str, int]] = {}
        for process in self.raw["processes"]:
            for row in process["lines"]:
                values = sums.setdefault(Frame(row["file"], row["line"], row["function"]), dict.fromkeys(self.names, 0))
                for name, value in self._values(row).items():
                    values[name] += value
        lines = [Line(frame, self._held_by(values), values) for frame, values in sums.items()]
        return sorted(lines, key=lambda line: (-line.held, line.frame))

    @property
    def stacks(self) -> List[Stack]:
        rows = (row for process in self.raw["processes"] for row in process["stacks"])
        stacks = [Stack(tuple(Frame(f["file"], f["line"], f["function"]) for f in row["frames"]),
                        self._held_by(self._values(row)), self._values(row)) for row in rows]
        return sorted(stacks, key=lambda stack: (-stack.held, stack.frames))

    @property
    def held(self) -> int:
        """What all lines hold together."""
        return sum(self._held_by(self._values(process)) for process in self.raw["processes"])

    @property
    def peak(self) -> Optional[int]:
        """The most that there was, if that was asked for; then lines are as they were at that time."""
        if not any("peak_bytes" in process for process in self.raw["processes"]):
            return None
        return sum(process.get("peak_bytes", 0) for process in self.raw["processes"])

    @property
    def lost(self) -> Dict[str, int]:
        """Events that could not be recorded, by cause; {}: none."""
        causes: Dict[str, int] = {}
        for process in self.raw["processes"]:
            for cause, n in process["lost"].items():
                causes[cause] = causes.get(cause, 0) + n
        return {cause: n for cause, n in causes.items() if n}

    def diff(self, before: "Profile") -> List[Line]:
        """What each line holds more than in an earlier profile, the most first; what holds as much is left out."""
        if before.names != self.names:
            raise Error("a profile of mode %s does not compare with one of mode %s" % (self.mode, before.mode))
        now = {line.frame: line for line in self.lines}
        then = {line.frame: line for line in before.lines}
        zero = dict.fromkeys(self.names, 0)
        changes = []
        for frame in {**now, **then}:
            of_now, of_then = (side[frame].values if frame in side else zero for side in (now, then))
            values = {name: of_now[name] - of_then[name] for name in self.names}
            if any(values.values()):
                changes.append(Line(frame, self._held_by(values), values))
        return sorted(changes, key=lambda line: (-line.held, line.frame))

    def _rows(self) -> List[Dict[str, object]]:
        return [dict(line.frame._asdict(), held=line.held, **line.values) for line in self.lines]

    def to_pandas(self):
        """Lines as a pandas.DataFrame."""
        import pandas
        return pandas.DataFrame(self._rows(), columns=["file", "line", "function", "held", *self.names])

    def to_polars(self):
        """Lines as a polars.DataFrame."""
        import polars
        return polars.DataFrame(self._rows())


def load(path: str) -> Profile:
    """A profile that `pymemtop record -f json` has saved."""
    with open(path) as file:
        return Profile(file.read())


def program() -> str:
    """The path of pymemtop: the one that was installed with this module, else the first in PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "pymemtop")
    found = os.environ.get("PYMEMTOP") or (beside if os.access(beside, os.X_OK) else shutil.which("pymemtop"))
    if not found:
        raise Error("there is no program pymemtop beside %s or in PATH; set PYMEMTOP" % sys.executable)
    return found


# Ends pymemtop when stdin is closed: a process of root's cannot be sent a signal.
UNTIL_CLOSED = """
program=$1
shift
exec 3<&0
"$program" "$@" <&- 3<&- &
pid=$!
{ read -r _ <&3; kill -INT "$pid"; } >/dev/null 2>&1 &
reader=$!
wait "$pid"
status=$?
kill "$reader" 2>/dev/null
exit "$status"
"""


class Recording:
    """A recording under way. Its profile is there once it has been stopped."""

    def __init__(self, pid: Optional[int] = None, mode: str = "heap", options: Sequence[str] = ()):
        if sys.platform != "linux":
            raise Error("pymemtop needs Linux: it records with eBPF")
        self.profile: Optional[Profile] = None
        self._folder = tempfile.TemporaryDirectory(prefix="pymemtop-")
        self._path = os.path.join(self._folder.name, "profile.json")
        command = ["/bin/sh", "-c", UNTIL_CLOSED, "sh", program(), "record", "-v", "-p", str(pid or os.getpid()),
                   "-m", mode, "-f", "json", *options]
        # The shell opens the file, so that it is ours.
        self._out = open(self._path, "wb")
        if os.geteuid():
            command[:0] = ["sudo", "-n"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._out, stderr=subprocess.PIPE,
                                         text=True, errors="replace")
        self._said: List[str] = []
        for line in self._messages():
            if line.startswith("pymemtop: recording"):
                return
        self._fail()

    def _messages(self) -> Iterator[str]:
        for line in self._process.stderr:
            self._said.append(line)
            yield line

    def _fail(self):
        self._process.stdin.close()
        status = self._process.wait()
        self._out.close()
        self._folder.cleanup()
        said = [line.strip() for line in self._said if line.strip()]
        why = said[-1] if said else "it ended with status %d" % status
        if "sudo" in why and os.geteuid():
            why += "; pymemtop needs root: run this as root, or allow `sudo -n %s`" % program()
        raise Error(why)

    def stop(self) -> Profile:
        """Ends the recording, and returns what it has found."""
        if self.profile is None:
            self._process.stdin.close()
            for _ in self._messages():
                pass
            if self._process.wait():
                self._fail()
            self._out.close()
            self.profile = load(self._path)
            self._folder.cleanup()
        return self.profile

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def record(pid: Optional[int] = None, mode: str = "heap", options: Sequence[str] = ()) -> Recording:
    """Begins to record a process, this one if pid is None; when it returns, all is recorded. options: more of
    `pymemtop record`'s, as ["--peak"]. Raises Error."""
    return Recording(pid, mode, options)
