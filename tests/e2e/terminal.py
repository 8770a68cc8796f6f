# SPDX-License-Identifier: BSD-2-Clause
"""Runs a program on a terminal of its own, and shows what a user would see on the screen."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

from harness import DEADLINE

NAME = "xterm-256color"


class Terminal:
    def __init__(self, argv, rows=30, columns=100):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = b""	# all that the program wrote
        self.status = None
        self.pid, self.master = pty.fork()
        if not self.pid:
            os.environ["TERM"] = NAME
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp(argv[0], argv)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def read(self, seconds):
        """Takes in what the program writes in that time. Returns whether it may write more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:	# EIO: nobody has the terminal open any more
            data = b""
        self.written += data
        self.stream.feed(data)
        return bool(data)

    def until(self, holds, what):
        """Waits until holds(lines of the screen)."""
        end = time.monotonic() + DEADLINE
        while not holds(self.lines()):
            if time.monotonic() > end or not self.read(0.1):
                self.end(signal.SIGTERM)
                raise SystemExit("%s is not on the screen:\n%s" % (what, "\n".join(self.lines())))

    def until_shows(self, text):
        self.until(lambda lines: any(text in line for line in lines), repr(text))

    def wait(self):
        """Waits until the program has ended. Returns its exit status; negative: a signal."""
        end = time.monotonic() + DEADLINE
        while self.read(0.1):
            if time.monotonic() > end:
                self.end(signal.SIGKILL)
                raise SystemExit("it does not end:\n%s" % "\n".join(self.lines()))
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def end(self, number):
        if self.status is None:
            os.kill(self.pid, number)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
