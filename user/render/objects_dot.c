// SPDX-License-Identifier: BSD-2-Clause
/* What holds the memory, for Graphviz: each holder with an arrow from the one that keeps it alive.
 */
#include <inttypes.h>

#include "base/format.h"
#include "render/objects.h"

/* A holder that retains less than one in so many of all bytes is left out: a graph of more is a
 * tangle. */
#define LEAST_PART 200

struct graph_writer {
	FILE *out;
	uint64_t least;
	uint64_t n; /* nodes so far */
};

/* In a quoted string (https://graphviz.org/doc/info/lang.html). */
static void put_quoted(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

static void put_node(struct graph_writer *writer, const char *name, const char *type,
		     uint64_t count, uint64_t retained)
{
	fprintf(writer->out, "\tn%" PRIu64 " [label=\"", writer->n++);
	put_quoted(name, writer->out);
	if (*name && *type)
		fputs("\\n", writer->out);
	put_quoted(type, writer->out);
	fprintf(writer->out, "\\n%s x, keep %s alive\"];\n", format_count(count).s,
		format_bytes(retained).s);
}

static void put_holders(struct graph_writer *writer, const struct holder *in, uint64_t above)
{
	const struct holder *holder;
	uint64_t node;
	size_t i;

	for (i = 0; i < in->nholders; i++) {
		holder = &in->holders[i];
		if (holder->retained_bytes < writer->least)
			continue;
		node = writer->n;
		put_node(writer, holder__path_in(holder, in), holder->type, holder->count,
			 holder->retained_bytes);
		fprintf(writer->out, "\tn%" PRIu64 " -> n%" PRIu64 ";\n", above, node);
		put_holders(writer, holder, node);
	}
}

static int render(const struct inspected *all, size_t n, size_t top, FILE *out)
{
	struct graph_writer writer = {.out = out};
	char name[sizeof(all->comm) + 16];
	const struct holder *holders;
	uint64_t node;
	size_t i;

	(void)top;
	fputs("digraph holders {\n\trankdir=LR;\n\tnode [shape=box, fontname=monospace];\n", out);
	for (i = 0; i < n; i++) {
		holders = all[i].now ? all[i].now->holders : NULL;
		if (!holders)
			continue;
		writer.least = holders->retained_bytes / LEAST_PART;
		node = writer.n;
		snprintf(name, sizeof(name), "%s %d", all[i].comm, all[i].pid);
		put_node(&writer, name, "", all[i].now->count, holders->retained_bytes);
		put_holders(&writer, holders, node);
	}
	fputs("}\n", out);
	return 0;
}

const struct objects_renderer objects_dot_renderer = {
	.name = "dot",
	.ending = ".dot",
	.render = render,
};
