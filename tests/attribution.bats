# SPDX-License-Identifier: BSD-2-Clause
# Who holds what: against the books that the targets keep themselves.
load helper

setup() {
	need_probes
}

@test "every block is on its line, to the byte: frames, 3.11" {
	check check_blocks.py "$DEBIAN" frames
}

@test "every block is on its line, to the byte: usdt, 3.11" {
	check check_blocks.py "$DEBIAN" usdt
}

@test "every block is on its line, to the byte: frames, 3.12" {
	need_python 3.12
	check check_blocks.py "$PYTHON" frames
}

@test "every block is on its line, to the byte: frames, 3.13" {
	need_python 3.13
	check check_blocks.py "$PYTHON" frames
}

@test "every block is on its line also with probes on the functions' entries" {
	check check_blocks.py "$DEBIAN" frames --probe-at-entry
}

@test "a call costs one trap and its return one, a free one" {
	check check_counts.py "$DEBIAN"
}

@test "stacks are those that the target sees itself: frames, 3.11" {
	check check_stacks.py "$DEBIAN" frames
}

@test "stacks are those that the target sees itself: usdt, 3.11" {
	check check_stacks.py "$DEBIAN" usdt
}

@test "stacks are those that the target sees itself: frames, 3.12" {
	need_python 3.12
	check check_stacks.py "$PYTHON" frames
}

@test "stacks are those that the target sees itself: frames, 3.13" {
	need_python 3.13
	check check_stacks.py "$PYTHON" frames
}

@test "names of every kind: frames, 3.11" {
	check check_names.py "$DEBIAN" frames
}

@test "names of every kind: usdt, 3.11" {
	check check_names.py "$DEBIAN" usdt
}

@test "names of every kind: frames, 3.12" {
	need_python 3.12
	check check_names.py "$PYTHON" frames
}

@test "names of a process that is gone: frames, 3.11" {
	check check_names.py "$DEBIAN" frames exit
}

@test "names of a process that is gone: usdt, 3.11" {
	check check_names.py "$DEBIAN" usdt exit
}

@test "names of a process that is gone: frames, 3.13" {
	need_python 3.13
	check check_names.py "$PYTHON" frames exit
}

@test "a million random ints, sorted: both lists, on their lines: frames" {
	check check_program.py "$DEBIAN" frames seed.py
}

@test "a million random ints, sorted: both lists, on their lines: usdt" {
	check check_program.py "$DEBIAN" usdt seed.py
}

@test "a web server that leaks in a handler: frames" {
	check check_program.py "$DEBIAN" frames server.py
}

@test "a web server that leaks in a handler: usdt" {
	check check_program.py "$DEBIAN" usdt server.py
}

@test "pandas reads a table and adds a column: the program's own lines: frames" {
	need_module pandas
	check check_program.py "$DEBIAN" frames frame.py
}

@test "a pool of forked workers, each with its own books: frames" {
	check check_program.py "$DEBIAN" frames fork_pool.py
}

@test "a pool of forked workers, each with its own books: usdt" {
	check check_program.py "$DEBIAN" usdt fork_pool.py
}

@test "a pool of forked workers, each with its own books: frames, 3.12" {
	need_python 3.12
	check check_program.py "$PYTHON" frames fork_pool.py
}

@test "a stack that is too deep says that it is cut" {
	check check_odd.py "$DEBIAN" frames deep
	check check_odd.py "$DEBIAN" usdt deep
}

@test "a thread without Python is native" {
	check check_odd.py "$DEBIAN" frames native
	check check_odd.py "$DEBIAN" usdt native
}

@test "native threads that call into Python" {
	check check_odd.py "$DEBIAN" frames callbacks
	check check_odd.py "$DEBIAN" usdt callbacks
}

@test "native threads that call into Python: frames, 3.12" {
	need_python 3.12
	check check_odd.py "$PYTHON" frames callbacks
}

@test "threads that do not hold the GIL" {
	check check_odd.py "$DEBIAN" frames blocked
	check check_odd.py "$DEBIAN" usdt blocked
}

@test "threads that do not hold the GIL: frames, 3.12" {
	need_python 3.12
	check check_odd.py "$PYTHON" frames blocked
}

@test "functions entered before the attach have no wrong name" {
	check check_odd.py "$DEBIAN" usdt before_attach
}

@test "children that execute something else" {
	check check_odd.py "$DEBIAN" frames spawn
	check check_odd.py "$DEBIAN" frames spawned
}

@test "a target that executes something else is reported as it was" {
	check check_odd.py "$DEBIAN" frames execute
}

@test "more live blocks than the map holds are counted as lost" {
	check check_odd.py "$DEBIAN" frames many
	check check_odd.py "$DEBIAN" usdt many
}

@test "what dead children held makes room again" {
	check check_odd.py "$DEBIAN" frames dying
}

@test "more stacks than the map holds are counted as lost" {
	check check_odd.py "$DEBIAN" frames sites
	check check_odd.py "$DEBIAN" usdt sites
}

@test "the committed layout of 3.11 is what the headers give" {
	[ -f /usr/include/python3.11/Python.h ] || skip "needs python3-dev"
	cp -r ../scripts "$BATS_TEST_TMPDIR"
	mkdir -p "$BATS_TEST_TMPDIR/user/layouts"
	"$BATS_TEST_TMPDIR/scripts/cpython-layout" "$DEBIAN"
	diff <(grep -v 'Made by' "$BATS_TEST_TMPDIR/user/layouts/3.11.h") \
		<(grep -v 'Made by' ../user/layouts/3.11.h)
}
