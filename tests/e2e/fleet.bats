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
