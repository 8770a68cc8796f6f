// SPDX-License-Identifier: BSD-2-Clause
#include "profile/ended.h"

void ended__add(struct ended *ended, const struct process_counters *counters)
{
	int cause;

	ended->n++;
	ended->before_bytes += counters->before_bytes;
	ended->anon_bytes += counters->anon_bytes;
	for (cause = 0; cause < LOST_CAUSES; cause++)
		ended->lost[cause] += counters->lost[cause];
}
