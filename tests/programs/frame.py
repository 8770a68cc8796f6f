# SPDX-License-Identifier: BSD-2-Clause
"""pandas: reads a table and adds a column."""
import os

import pandas

from books import begin, finish, hold

path = os.environ["BOOKS"] + ".csv"
with open(path, "w") as file:
    file.write("a,b,c\n")
    for i in range(200_000):
        file.write("%d,%d,%f\n" % (i, i * 7, i / 3))


def load():
    table = pandas.read_csv(path)
    return table


def add_column(table):
    table["d"] = table["a"] * 2 + table["b"]
    return table


begin()
table = add_column(load())
code = load.__code__
hold("read", 3 * 8 * len(table), place=(__file__, code.co_firstlineno + 1))
hold("column", 8 * len(table), place=(__file__, add_column.__code__.co_firstlineno + 1))
finish()
