// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/definitions.h"
#include "inspect/namespace.h"
#include "inspect/text.h"
#include "target/source_text.h"

/* Entries of a class that are looked at. */
#define MOST_ENTRIES 4096

/* Of a file's name. */
#define MOST_CHARACTERS 255

/* What a function object has room for. */
#define FUNCTION_WORDS 20

/* Files that are read: what takes most comes first. */
#define MOST_SOURCES 200

/* PyLongObject: ob_digit. */
#define INT_DIGIT 24

struct module {
	char *name;
	const char *file;
};

struct source {
	char *file;
	struct source_text *text; /* NULL: it cannot be read */
};

struct definitions {
	struct heap *heap;
	struct arena *texts;
	struct reader *reader;
	const char *cwd;
	void *modules; /* a <search.h> tree */
	struct source sources[MOST_SOURCES];
	size_t nsources;
};

static int compare_modules(const void *a, const void *b)
{
	return strcmp(((const struct module *)a)->name, ((const struct module *)b)->name);
}

static void free_module(void *module)
{
	free(((struct module *)module)->name);
	free(module);
}

static char *read_text(const struct heap *heap, uint64_t address)
{
	bool more;
	char *text = address ? text__read(heap->memory, heap->rules.layout, address,
					  MOST_CHARACTERS, &more)
			     : NULL;

	if (text && more) {
		free(text);
		text = NULL;
	}
	return text;
}

/* The name of a file in the arena, if it is one of Python source. */
static const char *keep_file(struct definitions *definitions, uint64_t address)
{
	auto_free char *name = read_text(definitions->heap, address);
	size_t n = name ? strlen(name) : 0;

	return n > 3 && !strcmp(name + n - 3, ".py") ? arena__copy(definitions->texts, name, n)
						     : NULL;
}

static void add_module(struct definitions *definitions, uint64_t address)
{
	uint64_t dict = module__dict(definitions->heap, address);
	auto_free char *name =
		dict ? read_text(definitions->heap,
				 namespace__value(definitions->heap, dict, "__name__"))
		     : NULL;
	struct module *module = name ? malloc(sizeof(*module)) : NULL, **known;

	if (!module)
		return;
	*module = (struct module){take(name),
				  keep_file(definitions,
					    namespace__value(definitions->heap, dict, "__file__"))};
	known = tsearch(module, &definitions->modules, compare_modules);
	if (!known || *known != module)
		free_module(module);
}

struct definitions *definitions__new(struct heap *heap, struct arena *texts, struct reader *reader,
				     const char *cwd)
{
	struct definitions *definitions = calloc(1, sizeof(*definitions));
	const struct type *type;
	size_t i;

	if (!definitions)
		return NULL;
	definitions->heap = heap;
	definitions->texts = texts;
	definitions->reader = reader;
	definitions->cwd = cwd;
	for (i = 0; i < heap->nodes.n; i++) {
		if (heap->nodes.of[i].type < 0)
			continue;
		type = type_table__numbered(heap->types, heap->nodes.of[i].type);
		if (type && type->kind == KIND_MODULE)
			add_module(definitions, heap->nodes.of[i].address);
	}
	return definitions;
}

void definitions__free(struct definitions *definitions)
{
	size_t i;

	if (!definitions)
		return;
	for (i = 0; i < definitions->nsources; i++) {
		free(definitions->sources[i].file);
		source_text__free(definitions->sources[i].text);
	}
	tdestroy(definitions->modules, free_module);
	free(definitions);
}

/* What a class's dict tells. */
struct class_facts {
	struct definitions *definitions;
	uint64_t module, first_line; /* addresses of its values; 0: none */
	const char *file;	     /* of its functions */
	unsigned int line;	     /* the least of theirs */
};

/* The code of a function; 0: it is none. Where a function has it changes with the versions. */
static uint64_t code_of(const struct heap *heap, uint64_t function)
{
	const struct type *type =
		type_table__at(heap->types, memory__word(heap->memory, function + OBJECT_TYPE));
	uint64_t word;
	size_t i;

	if (!type || strcmp(type->name, "function") != 0)
		return 0;
	for (i = OBJECT_HEAD / 8; i < FUNCTION_WORDS; i++) {
		word = memory__word(heap->memory, function + 8 * i);
		type = word ? type_table__at(heap->types,
					     memory__word(heap->memory, word + OBJECT_TYPE))
			    : NULL;
		if (type && type->kind == KIND_CODE)
			return word;
	}
	return 0;
}

/* Functions can be from elsewhere, or made at run time: those of the class's own file count, which
 * is that of the first. */
static void see_function(struct class_facts *facts, uint64_t value)
{
	const struct heap *heap = facts->definitions->heap;
	uint64_t code = code_of(heap, value);
	const char *file;
	uint32_t line;

	if (!code || !memory__read(heap->memory, code + heap->rules.layout->code_first_line, &line,
				   sizeof(line)))
		return;
	file = keep_file(facts->definitions,
			 memory__word(heap->memory, code + heap->rules.layout->code_filename));
	if (!file || (facts->file && strcmp(facts->file, file) != 0))
		return;
	facts->file = file;
	if (!facts->line || line < facts->line)
		facts->line = line;
}

static bool see_entry(void *context, const char *key, uint64_t value)
{
	struct class_facts *facts = context;

	if (!strcmp(key, "__module__"))
		facts->module = value;
	else if (!strcmp(key, "__firstlineno__"))
		facts->first_line = value;
	else
		see_function(facts, value);
	return true;
}

static const char *module_file(const struct definitions *definitions, uint64_t name)
{
	auto_free char *text = read_text(definitions->heap, name);
	struct module key = {.name = text}, **known;

	known = text ? tfind(&key, &definitions->modules, compare_modules) : NULL;
	return known ? (*known)->file : NULL;
}

static const struct source_text *source_of(struct definitions *definitions, const char *file)
{
	struct source *source;
	size_t i;

	for (i = 0; i < definitions->nsources; i++) {
		if (!strcmp(definitions->sources[i].file, file))
			return definitions->sources[i].text;
	}
	if (!definitions->reader || definitions->nsources == MOST_SOURCES ||
	    !reader__fits(definitions->reader, definitions->heap->target->pid))
		return NULL;
	source = &definitions->sources[definitions->nsources];
	source->file = strdup(file);
	if (!source->file)
		return NULL;
	definitions->nsources++;
	source->text = source_text__new(definitions->reader, definitions->cwd, file);
	return source->text;
}

struct definition definitions__find(struct definitions *definitions, const struct type *type)
{
	struct class_facts facts = {.definitions = definitions};
	const struct heap *heap = definitions->heap;
	const struct source_text *text;
	const char *file;
	uint32_t line = 0;
	int found;

	if (!type->namespace)
		return (struct definition){0};
	namespace__visit(heap, type->namespace, MOST_ENTRIES, see_entry, &facts);
	file = module_file(definitions, facts.module);
	/* A module's own file says more than a function that it may have from elsewhere. */
	if (file && facts.file && strcmp(file, facts.file) != 0)
		facts.line = 0;
	file = file ?: facts.file;
	if (!file)
		return (struct definition){0};
	if (facts.first_line &&
	    memory__read(heap->memory, facts.first_line + INT_DIGIT, &line, sizeof(line)))
		return (struct definition){file, line};
	text = source_of(definitions, file);
	found = text ? source_text__class(text, type->name, facts.line) : 0;
	return (struct definition){file, found ? (unsigned int)found : facts.line};
}
