#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The daemon.
load helper

setup() {
	need_probes
}

@test "serve: metrics are the programs' own books, add up, and promtool and the reference parser take them" {
	check check_serve.py metrics "$DEBIAN"
}

@test "serve: pprof of one program, and what changes meanwhile" {
	check check_serve.py pprof "$DEBIAN"
}

@test "serve: slow, many and hostile clients hurt nobody" {
	check check_serve.py clients "$DEBIAN"
}

@test "serve: others get an answer only with TLS and a token, or if it is said to be open" {
	check check_serve.py rights "$DEBIAN"
}

@test "serve: the page, in a browser" {
	command -v chromium >/dev/null || skip "needs chromium"
	check check_serve.py page "$DEBIAN"
}
