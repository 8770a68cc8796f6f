// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>

#include "base/format.h"
#include "render/type_rows.h"

void type_rows__put_titles(bool changes, FILE *out)
{
	fprintf(out, "  %12s", "objects");
	if (changes)
		fprintf(out, " %12s %12s", "change", "bytes");
	fprintf(out, " %12s  type\n", changes ? "change" : "bytes");
}

void type_rows__put_row(const struct type_row *row, bool changes, FILE *out)
{
	fprintf(out, "  %12s", format_count(row->count).s);
	if (changes)
		fprintf(out, " %12s", format_count_change(row->count_change).s);
	fprintf(out, " %12s", format_bytes(row->bytes).s);
	if (changes)
		fprintf(out, " %12s", format_change(row->bytes_change).s);
	fprintf(out, "  %s", row->name);
	if (row->file)
		fprintf(out, "  %s", row->file);
	if (row->line)
		fprintf(out, ":%" PRId64, row->line);
	fputc('\n', out);
}

void type_rows__put_rest(size_t shown, size_t n, FILE *out)
{
	if (shown < n)
		fprintf(out, "  and %s more types: --top %zu shows them\n",
			format_count(n - shown).s, n);
}
