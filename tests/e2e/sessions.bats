# SPDX-License-Identifier: BSD-2-Clause
# Recordings that targets and modes join while they run.
load helper

setup() {
	need_probes
}

@test "what a target executes is recorded, where it is a Python" {
	check check_targets.py "$DEBIAN" workers
}

@test "all: what starts later is recorded" {
	check check_targets.py "$DEBIAN" later
}

@test "all: another interpreter that starts later is recorded" {
	need_python 3.12
	check check_targets.py "$DEBIAN" later "$PYTHON"
}

@test "heap and rss at once are as each alone" {
	check check_targets.py "$DEBIAN" modes
}
