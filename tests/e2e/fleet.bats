#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Many hosts, asked of a real Prometheus.
load helper

@test "fleet: leaks are told from what fills up, comes and goes, steps, or is one host's; bad answers are one line" {
	command -v prometheus >/dev/null || skip "needs prometheus"
	check check_fleet.py shapes
}

@test "fleet: VictoriaMetrics says the same" {
	command -v victoria-metrics >/dev/null || skip "needs victoria-metrics"
	check check_fleet.py shapes victoria-metrics
}

@test "fleet: three daemons, scraped: the line that leaks on all comes first" {
	need_probes
	command -v prometheus >/dev/null || skip "needs prometheus"
	check check_fleet.py scrapes
}

@test "deploy: the rules do what they say, the configuration and the unit are valid" {
	command -v promtool >/dev/null || skip "needs promtool"
	cd ../../scripts/deploy
	promtool test rules pymemtop.rules.test.yml
	promtool check config prometheus.yml
	command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
	sed "s|/usr/local/bin/pymemtop|$PYMEMTOP|; /^Documentation/d" pymemtop.service > "$BATS_TEST_TMPDIR/pymemtop.service"
	run systemd-analyze verify "$BATS_TEST_TMPDIR/pymemtop.service"
	echo "$output"
	[ "$status" = 0 ] && [ -z "$output" ]
}
