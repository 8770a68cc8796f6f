// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/def_ranges.h"

/* Nested blocks; Python's own limit is 100 levels of indentation. */
#define MAX_DEPTH 100

struct block {
	char *name;	 /* qualified; of a class or function */
	int indent;	 /* of its head */
	int body_indent; /* -1: not known yet */
	int first, last;
};

struct scanner {
	struct def_ranges *functions;
	struct block blocks[MAX_DEPTH];
	int depth;
	int outermost; /* depth of the outermost function's block, 0: in none */
	int decorator; /* line of the first decorator before a head; 0: none */
	/* What a line leaves open for the next. */
	int brackets;
	const char *string; /* closing quotes; NULL: in none */
	bool continued;	    /* by a backslash */
	bool failed;
};

/* Goes over a line's tokens to find what it leaves open. */
static void scan_tokens(struct scanner *scanner, const char *at)
{
	size_t length;

	scanner->continued = false;
	while (*at) {
		if (scanner->string) {
			length = strlen(scanner->string);
			if (*at == '\\') {
				scanner->continued = !at[1];
				at += at[1] ? 2 : 1;
			} else if (!strncmp(at, scanner->string, length)) {
				at += length;
				scanner->string = NULL;
			} else {
				at++;
			}
			continue;
		}
		if (*at == '#')
			return;
		if (*at == '"' || *at == '\'') {
			scanner->string = !strncmp(at, "\"\"\"", 3) ? "\"\"\""
					  : !strncmp(at, "'''", 3)  ? "'''"
					  : *at == '"'		    ? "\""
								    : "'";
			at += strlen(scanner->string);
			continue;
		}
		if (strchr("([{", *at))
			scanner->brackets++;
		else if (strchr(")]}", *at) && scanner->brackets)
			scanner->brackets--;
		else if (*at == '\\' && !at[1])
			scanner->continued = true;
		at++;
	}
	/* A string of one line ends with it, unless a backslash continues it. */
	if (scanner->string && strlen(scanner->string) == 1 && !scanner->continued)
		scanner->string = NULL;
}

static int indent_of(const char *line)
{
	return strspn(line, " "); /* tabs have become blanks */
}

/* Returns the name that a head defines, with its length, or NULL. */
static const char *defined_name(const char *head, const char *keyword, size_t *length)
{
	size_t n = strlen(keyword);

	if (strncmp(head, keyword, n) || head[n] != ' ')
		return NULL;
	head += n + strspn(head + n, " ");
	for (*length = 0; isalnum((unsigned char)head[*length]) || head[*length] == '_' ||
			  (unsigned char)head[*length] >= 0x80;
	     ++*length)
		;
	return *length ? head : NULL;
}

static const char *find_head(const char *text, bool *is_function, size_t *length)
{
	const char *name;

	*is_function = true;
	if (!strncmp(text, "async ", 6))
		text += 6 + strspn(text + 6, " ");
	name = defined_name(text, "def", length);
	if (name)
		return name;
	*is_function = false;
	return defined_name(text, "class", length);
}

static void keep_function(struct scanner *scanner, const struct block *block)
{
	struct def_ranges *functions = scanner->functions;
	struct def_range *more =
		reallocarray(functions->functions, functions->n + 1, sizeof(*more));

	if (!more) {
		scanner->failed = true;
		return;
	}
	functions->functions = more;
	more += functions->n;
	more->name = strdup(block->name);
	more->first = block->first;
	more->last = block->last;
	if (more->name)
		functions->n++;
	else
		scanner->failed = true;
}

static void leave_block(struct scanner *scanner)
{
	struct block *block = &scanner->blocks[--scanner->depth];

	if (scanner->depth + 1 == scanner->outermost) {
		keep_function(scanner, block);
		scanner->outermost = 0;
	}
	free(block->name);
}

static void enter_block(struct scanner *scanner, const char *name, size_t length, bool is_function,
			int indent, int line)
{
	const char *outer = scanner->depth ? scanner->blocks[scanner->depth - 1].name : "";
	struct block *block;

	if (scanner->depth == MAX_DEPTH)
		return;
	block = &scanner->blocks[scanner->depth++];
	block->indent = indent;
	block->body_indent = -1;
	block->first = scanner->decorator ? scanner->decorator : line;
	block->last = line;
	if (asprintf(&block->name, "%s%s%.*s", outer, outer[0] ? "." : "", (int)length, name) < 0) {
		scanner->depth--;
		scanner->failed = true;
		return;
	}
	if (is_function && !scanner->outermost)
		scanner->outermost = scanner->depth;
}

static void extend_blocks(struct scanner *scanner, int line)
{
	int i;

	for (i = 0; i < scanner->depth; i++)
		scanner->blocks[i].last = line;
}

/* A comment belongs to the blocks whose bodies are not indented further. */
static void take_comment(struct scanner *scanner, int indent, int line)
{
	int i;

	for (i = 0; i < scanner->depth; i++) {
		if (scanner->blocks[i].body_indent >= 0 && indent >= scanner->blocks[i].body_indent)
			scanner->blocks[i].last = line;
	}
}

/* Takes a line that begins a statement. */
static void take_statement(struct scanner *scanner, const char *text, int indent, int line)
{
	bool is_function;
	const char *name;
	size_t length;
	int i;

	while (scanner->depth && indent <= scanner->blocks[scanner->depth - 1].indent)
		leave_block(scanner);
	for (i = 0; i < scanner->depth; i++) {
		if (scanner->blocks[i].body_indent < 0)
			scanner->blocks[i].body_indent = indent;
	}
	extend_blocks(scanner, line);
	if (text[0] == '@') {
		if (!scanner->decorator)
			scanner->decorator = line;
		return;
	}
	name = find_head(text, &is_function, &length);
	if (name)
		enter_block(scanner, name, length, is_function, indent, line);
	scanner->decorator = 0;
}

static void take_line(struct scanner *scanner, const char *text, int line)
{
	int indent = indent_of(text);
	bool goes_on = scanner->brackets || scanner->string || scanner->continued;

	if (goes_on) {
		extend_blocks(scanner, line);
	} else if (!text[indent]) {
		return;
	} else if (text[indent] == '#') {
		take_comment(scanner, indent, line);
		return;
	} else {
		take_statement(scanner, text + indent, indent, line);
	}
	scan_tokens(scanner, text);
}

struct def_ranges *def_ranges__new(const struct source_text *text)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));
	struct def_ranges *functions = calloc(1, sizeof(*functions));
	size_t i;

	if (!scanner || !functions)
		goto fail;
	functions->references = 1;
	scanner->functions = functions;
	for (i = 0; i < text->nlines; i++)
		take_line(scanner, text->lines[i], i + 1);
	while (scanner->depth)
		leave_block(scanner);
	if (scanner->failed)
		goto fail;
	free(scanner);
	return functions;
fail:
	free(scanner);
	if (functions)
		functions->references = 1;
	def_ranges__free(functions);
	return NULL;
}

struct def_ranges *def_ranges__ref(struct def_ranges *functions)
{
	if (functions)
		functions->references++;
	return functions;
}

void def_ranges__free(struct def_ranges *functions)
{
	size_t i;

	if (!functions || --functions->references)
		return;
	for (i = 0; i < functions->n; i++)
		free(functions->functions[i].name);
	free(functions->functions);
	free(functions);
}

const struct def_range *def_ranges__find(const struct def_ranges *functions, int line)
{
	size_t low = 0, high = functions->n, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (line > functions->functions[middle].last)
			low = middle + 1;
		else if (line < functions->functions[middle].first)
			high = middle;
		else
			return &functions->functions[middle];
	}
	return NULL;
}
