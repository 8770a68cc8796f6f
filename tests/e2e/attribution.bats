# SPDX-License-Identifier: BSD-2-Clause
# Which line holds what, compared with the books that the targets keep themselves.
load helper

setup() {
	need_probes
}

@test "every block is on its line also with probes on the functions' entries" {
	check check_blocks.py "$DEBIAN" frames --probe-at-entry
}

@test "a call costs one trap and its return one, a free one" {
	check check_counts.py "$DEBIAN"
}

@test "stacks that are switched under the interpreter: greenlet, gevent" {
	need_module gevent
	check check_stacks.py "$DEBIAN" frames greenlets.py
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

@test "a thread without Python is native" {
	check check_odd.py "$DEBIAN" frames native
	check check_odd.py "$DEBIAN" usdt native
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

@test "of more stacks than the map holds, the innermost line is known; then they are counted as lost" {
	check check_odd.py "$DEBIAN" frames tree
	check check_odd.py "$DEBIAN" usdt tree
	check check_odd.py "$DEBIAN" frames sites
	check check_odd.py "$DEBIAN" usdt sites
}

@test "the committed layouts are what the headers give" {
	local include version n=0
	cp -r ../../scripts "$BATS_TEST_TMPDIR"
	mkdir -p "$BATS_TEST_TMPDIR/user/target/layouts"
	for include in /usr/include/python3.* "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/include/python3.*; do
		[ -f "$include/Python.h" ] || continue
		version=${include##*python}
		[ -f "../../user/target/layouts/$version.h" ] || continue
		"$BATS_TEST_TMPDIR/scripts/cpython-layout" "$include"
		echo "$include"
		diff <(grep -v 'Made by' "$BATS_TEST_TMPDIR/user/target/layouts/$version.h") \
			<(grep -v 'Made by' "../../user/target/layouts/$version.h")
		n=$((n + 1))
	done
	[ "$n" -gt 0 ] || skip "needs python3-dev"
}
