# SPDX-License-Identifier: BSD-2-Clause
"""Includes run down: a file of user/ includes files of its own station of the flow and of those
before it, and of none behind it (doc/architecture.md)."""
import os
import re
import sys

USER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "user")
STATIONS = ["base", "target", "inspect", "probes", "collect", "symbols", "profile", "modes", "session", "render",
            "view", "serve", "cli", "main"]
# A registry knows all its entries; no entry includes the registry.
REGISTRIES = {"modes": "modes/modes.h", "render": "render/renderers.h", "cli": "cli/commands.h"}


def station(path):
    return path.split("/")[0] if "/" in path else path.split(".")[0]


wrong = []
for folder, _, names in os.walk(USER):
    for name in names:
        path = os.path.relpath(os.path.join(folder, name), USER)
        if not path.endswith((".c", ".h")) or station(path) == "version":
            continue
        with open(os.path.join(USER, path)) as file:
            text = file.read()
        for included in re.findall(r'#include "([^"]+)"', text):
            if not os.path.exists(os.path.join(USER, included)) or included == "version.h":
                continue
            if STATIONS.index(station(included)) > STATIONS.index(station(path)):
                wrong.append("%s includes %s, which is behind it" % (path, included))
            own = REGISTRIES.get(station(path))
            if included == own and re.search(r"^const struct (mode|renderer|command) \w+ =", text, re.M) \
                    and station(path) != "cli":
                wrong.append("%s includes the registry that it is in" % path)
print("\n".join(wrong) or "0 includes run back up")
sys.exit(bool(wrong))
