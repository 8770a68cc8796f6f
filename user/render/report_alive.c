// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "base/format.h"
#include "render/report_alive.h"
#include "render/type_rows.h"

static void put_rows(const struct profile_alive *alive, size_t top, FILE *out)
{
	const struct profile_alive_type *type;
	size_t i;

	type_rows__put_titles(true, out);
	for (i = 0; i < alive->ntypes && i < top; i++) {
		type = &alive->types[i];
		type_rows__put_row(&(struct type_row){type->now.name, type->file, type->line,
						      type->now.count, type->now.bytes,
						      type->count_change, type->bytes_change},
				   true, out);
	}
	type_rows__put_rest(i, alive->ntypes, out);
}

void report_alive__put(const struct profile_alive *alive, size_t top, FILE *out)
{
	if (!alive->types && !alive->why)
		return;
	fputs("\nTypes of all objects that are alive, whatever line made them, by growth\n", out);
	if (alive->types)
		fprintf(out,
			"  %s objects, %s (%s), %.1f s after the attach; changes since %.1f s after it\n\n",
			format_count(alive->count).s, format_bytes(alive->bytes).s,
			format_change(alive->bytes_change).s, alive->seconds, alive->first_seconds);
	if (alive->why)
		fprintf(out, "  The last look failed: %s\n", alive->why);
	if (alive->types)
		put_rows(alive, top, out);
}
