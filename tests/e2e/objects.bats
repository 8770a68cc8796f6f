# SPDX-License-Identifier: BSD-2-Clause
# Small objects: which lines they are on, and what heap and rss say about them.
load helper

setup() {
	need_probes
}

@test "objects: users and paths that requests leave behind" {
	check check_objects.py "$DEBIAN" frames requests
	check check_objects.py "$DEBIAN" usdt requests
}

@test "objects: strings in a dict" {
	check check_objects.py "$DEBIAN" frames strings
}

@test "objects: tuples from a csv file, with what free lists hand out again" {
	check check_objects.py "$DEBIAN" frames rows
}

@test "objects: a cache of dataclasses under asyncio" {
	check check_objects.py "$DEBIAN" frames async
}

@test "heap and rss name no line that keeps nothing" {
	local step
	for step in requests strings rows async; do
		check check_holders.py "$DEBIAN" "$step"
	done
}

@test "objects: more pages than there is room for are lost, and counted" {
	"$PYMEMTOP" record -m objects --max-pools 10 -f json -o "$BATS_TEST_TMPDIR/json" -- "$DEBIAN" -c '
held = [str(i) for i in range(100_000)]'
	check check_json.py pools "$BATS_TEST_TMPDIR/json"
}

@test "objects: without pymalloc every object is a block" {
	PYTHONMALLOC=malloc "$PYMEMTOP" record -m objects -f json -o "$BATS_TEST_TMPDIR/json" -- "$DEBIAN" -c '
import os
held = [str(i) for i in range(100_000)]
os._exit(0)'
	check check_json.py malloced "$BATS_TEST_TMPDIR/json"
}

@test "objects: of a process that has ended, when its small objects were seen last is said" {
	need_probes
	"$PYMEMTOP" record -m objects -o "$BATS_TEST_TMPDIR/report" -- "$DEBIAN" -c '
import os
kept = [str(i) for i in range(10_000)]
os._exit(0)'
	grep -E '^  Small +objects of up to 512 bytes (are those of the last look before its end|were not seen)' \
		"$BATS_TEST_TMPDIR/report"
}
