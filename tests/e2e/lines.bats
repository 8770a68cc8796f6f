# SPDX-License-Identifier: BSD-2-Clause
# Mode lines, by page and with --markers, compared with memory_profiler.
load helper

setup() {
	need_probes
	need_module memory_profiler
}

# Without and with markers, at once.
both() {
	local other
	check check_lines.py "$DEBIAN" "$1" 3>&- &
	other=$!
	check check_lines.py "$DEBIAN" "$1" --markers
	wait "$other"
}

@test "lines: memory_profiler's own example" {
	both lists
}

@test "lines: the seed program, comprehensions and a lambda" {
	both seed
}

@test "lines: a file that is read in chunks" {
	both chunks
}

@test "lines: loops, nested functions, generators, exceptions" {
	both flow
}

@test "lines: pandas reads a table" {
	need_module pandas
	both table
}

@test "lines: json carries the table's numbers, folded what was added" {
	"$PYMEMTOP" record -m lines --markers -f json -o "$BATS_TEST_TMPDIR/json" --file lines.py -- \
		"$DEBIAN" ../programs/lines.py lists
	check check_json.py lines "$BATS_TEST_TMPDIR/json"
	"$PYMEMTOP" record -m lines --markers -f folded --function lists -- "$DEBIAN" ../programs/lines.py lists \
		>"$BATS_TEST_TMPDIR/folded"
	cat "$BATS_TEST_TMPDIR/folded"
	# 160,000,000 bytes, and what else becomes resident meanwhile: a machine short of memory
	# takes pages of libc's and Python's files away, and they come back sixteen at a time.
	grep -Eq ';lists \(.*/lines.py:[0-9]+\) 160[0-9]{6}$' "$BATS_TEST_TMPDIR/folded"
	! grep -q -- ' -' "$BATS_TEST_TMPDIR/folded"
}

@test "lines: a process that runs, joined in the middle of its loop" {
	yes | "$DEBIAN" ../programs/steady.py >/dev/null 3>&- &
	TARGET=$!
	sleep 0.5
	"$PYMEMTOP" record -m lines --markers -d 1 -p "$TARGET" >"$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	grep -q '^Filename: .*/steady.py' "$BATS_TEST_TMPDIR/out"
	grep -Eq '^ +[0-9]+ +[0-9.]+ MiB +-?[0-9.]+ MiB +[0-9]+   ' "$BATS_TEST_TMPDIR/out"
}

@test "lines: an interpreter without markers is refused, with what serves instead" {
	need_python 3.12
	start_target
	refused 1 "without line markers" record -m lines --markers -p "$TARGET"
	grep -q 'up to 3.11.*--mode lines without --markers' "$BATS_TEST_TMPDIR/stderr"
}

@test "lines: options of another mode are refused" {
	refused 2 "--mode lines" record --function f -p 1
	refused 2 "--mode rss" record -m lines --sample 2 -p 1
	refused 2 "--attribution frames" record -m lines --markers --attribution frames -p 1
	refused 2 "--markers goes with --mode lines" record --markers -p 1
}
