// SPDX-License-Identifier: BSD-2-Clause
#include "base/format.h"
#include "render/report_mapped.h"

#define SHOWN 5

/* Less is every interpreter's own library, or nothing that matters. */
#define LEAST_BYTES (1 << 20)

void report_mapped__put(const struct profile_process *process, FILE *out)
{
	const struct profile_mapped *mapped;
	uint64_t rest = process->mapped_rest_bytes;
	size_t i;

	for (i = 0; i < process->nmapped; i++) {
		mapped = &process->mapped[i];
		if (i >= SHOWN || mapped->bytes < LEAST_BYTES) {
			rest += mapped->bytes;
			continue;
		}
		if (!i)
			fprintf(out, "\n%12s  %s\n", "Resident",
				"Of files, and of shared mappings, whose lines are above");
		fprintf(out, "%12s  %s%s\n", format_bytes(mapped->bytes).s, mapped->name,
			mapped->shared ? " (shared)" : "");
	}
	if (process->nmapped && process->mapped[0].bytes >= LEAST_BYTES && rest)
		fprintf(out, "%12s  all others\n", format_bytes(rest).s);
}
