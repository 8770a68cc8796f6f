# SPDX-License-Identifier: BSD-2-Clause
"""Keeps 200 blocks of 40,000 bytes, so that what a report must say is known."""
from books import begin, finish

kept = []


def keep():
    for _ in range(200):
        kept.append(bytearray(b"x" * 40_000))


begin()
keep()
finish()
