# SPDX-License-Identifier: BSD-2-Clause
"""The function that this project began with."""
import random

from books import begin, finish, hold


def make():
    numbers = [random.randint(0, 1 << 40) for _ in range(1_000_000)]
    ordered = sorted(numbers)
    return numbers, ordered


begin()
first, second = make()
source = (__file__, make.__code__.co_firstlineno)
# The pointers of both lists; the numbers themselves are small objects, in arenas.
hold(1, first.__sizeof__() - [].__sizeof__(), place=(source[0], source[1] + 1))
hold(2, second.__sizeof__() - [].__sizeof__(), place=(source[0], source[1] + 2))
finish()
