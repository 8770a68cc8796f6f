#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Long recordings; by hand, run check_years.py with 20,000 and 200,000.

load helper

setup() {
	need_probes
}

@test "6,000 children and 60,000 code objects that come and go: nothing lost, nothing grows" {
	timeout 300 "$DEBIAN" -u check_years.py "$DEBIAN" 6000 60000 1
}

@test "100,000 code objects under names of their own: those that hold nothing become a sum" {
	timeout 300 "$DEBIAN" -u check_years.py "$DEBIAN" 0 100000 1000000
}
