# SPDX-License-Identifier: BSD-2-Clause
"""file: writes the outermost functions of the standard library's modules to file, as inspect finds
them, for test_functions: a line "file PATH", then one line "NAME FIRST LAST" each."""
import ast
import glob
import inspect
import os
import sys
import sysconfig


def outermost(body, prefix=""):
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield prefix + node.name, first
        elif isinstance(node, ast.ClassDef):
            yield from outermost(node.body, prefix + node.name + ".")
        else:
            for field in "body", "orelse", "finalbody", "handlers":
                for inner in getattr(node, field, []):
                    yield from outermost(getattr(inner, "body", [inner]) if field == "handlers"
                                         else [inner], prefix)


with open(sys.argv[1], "w") as out:
    for path in sorted(glob.glob(sysconfig.get_path("stdlib") + "/**/*.py", recursive=True)):
        if "/lib2to3/tests/" in path or "/test/bad" in path:
            continue
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().split("\n")
            tree = ast.parse("\n".join(lines))
        except (SyntaxError, ValueError):
            continue
        # Not everything takes form feeds, carriage returns and the like for ends of lines.
        if any(c in line for line in lines for c in "\f\r\v\x1c\x1d\x1e\x85"):
            continue
        print("file", path, file=out)
        lines = [line + "\n" for line in lines]
        for name, first in sorted(outermost(tree.body), key=lambda function: function[1]):
            block = inspect.getblock(lines[first - 1:])
            print(name, first, first + len(block) - 1, file=out)
