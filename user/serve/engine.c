// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "serve/engine.h"

/* More values of a series are never asked for. */
#define MOST_VALUES 10000

static const char *const label_names[ENGINE_LABELS] = {
	[LABEL_PROGRAM] = "program",   [LABEL_FILE] = "file", [LABEL_LINE] = "line",
	[LABEL_FUNCTION] = "function", [LABEL_MODE] = "mode", [LABEL_INSTANCE] = "instance",
};

static yajl_val find(yajl_val in, const char *name, yajl_type type)
{
	const char *path[] = {name, NULL};

	return in ? yajl_tree_get(in, path, type) : NULL;
}

static size_t length_of(yajl_val array)
{
	return array && YAJL_IS_ARRAY(array) ? array->u.array.len : 0;
}

static const char *string_of(yajl_val in, const char *name)
{
	yajl_val value = find(in, name, yajl_t_string);

	return value ? YAJL_GET_STRING(value) : NULL;
}

/* What an engine says is printed as it should be for a terminal. */
static void say(const struct engine *engine, const char *what, const char *said)
{
	auto_free char *text = utf8_from_str((const uint8_t *)said, strlen(said), 0);

	log_error("%s%s%s", engine->url, what, text ? text : "");
}

/* The answer's tree. NULL: it is none, which has been said. */
static yajl_val parse(const struct engine *engine, const struct fetched *fetched)
{
	char why[256] = "";
	yajl_val tree = yajl_tree_parse(fetched->body, why, sizeof(why));
	const char *status = tree ? string_of(tree, "status") : NULL, *said;

	if (status && !strcmp(status, "success"))
		return tree;
	said = tree ? string_of(tree, "error") : NULL;
	if (status && said)
		say(engine, " refuses the query: ", said);
	else if (fetched->status == 401 || fetched->status == 403)
		log_error(
			"%s: HTTP %ld: it wants to know who asks; give --token-file, or the name and "
			"password in the address",
			engine->url, fetched->status);
	else
		log_error("%s: HTTP %ld, and no answer of Prometheus's API; is the address right?",
			  engine->url, fetched->status);
	yajl_tree_free(tree);
	return NULL;
}

/* Engines answer what they could, and say what they could not. */
static void say_warnings(const struct engine *engine, yajl_val tree)
{
	yajl_val warnings = find(tree, "warnings", yajl_t_array);
	size_t i;

	for (i = 0; i < length_of(warnings); i++) {
		if (YAJL_IS_STRING(warnings->u.array.values[i]))
			say(engine, ": only a part of the answer: ",
			    YAJL_GET_STRING(warnings->u.array.values[i]));
	}
}

/* [time, "value"] */
static void take_value(const struct engine_answer *answer, struct engine_series *series,
		       yajl_val pair)
{
	const char *text;
	double at;

	if (length_of(pair) != 2 || !YAJL_IS_NUMBER(pair->u.array.values[0]) ||
	    !YAJL_IS_STRING(pair->u.array.values[1]))
		return;
	text = YAJL_GET_NUMBER(pair->u.array.values[0]);
	at = text ? strtod(text, NULL) : -1;
	at = answer->step > 0 ? round((at - answer->start) / answer->step) : 0;
	text = YAJL_GET_STRING(pair->u.array.values[1]);
	if (text && at >= 0 && at < (double)answer->nvalues)
		series->values[(size_t)at] = strtod(text, NULL);
}

static int take_series(const struct engine_answer *answer, struct engine_series *series,
		       yajl_val from)
{
	yajl_val metric = find(from, "metric", yajl_t_object);
	yajl_val values = find(from, "values", yajl_t_array);
	size_t i;

	series->values = malloc(answer->nvalues * sizeof(*series->values));
	if (!series->values)
		return -ENOMEM;
	for (i = 0; i < answer->nvalues; i++)
		series->values[i] = NAN;
	for (i = 0; i < ENGINE_LABELS; i++)
		series->labels[i] = string_of(metric, label_names[i]) ?: "";
	take_value(answer, series, find(from, "value", yajl_t_array));
	for (i = 0; i < length_of(values); i++)
		take_value(answer, series, values->u.array.values[i]);
	return 0;
}

static int take_answer(const struct engine *engine, yajl_val tree, struct engine_answer *answer)
{
	const char *path[] = {"data", "result", NULL};
	yajl_val result = yajl_tree_get(tree, path, yajl_t_array);
	size_t i;
	int err = 0;

	if (!result) {
		log_error("%s: an answer without a result", engine->url);
		return -EBADMSG;
	}
	answer->series = calloc(length_of(result) + 1, sizeof(*answer->series));
	if (!answer->series)
		return -ENOMEM;
	for (i = 0; !err && i < length_of(result); i++) {
		answer->n = i + 1;
		err = take_series(answer, &answer->series[i], result->u.array.values[i]);
	}
	return err;
}

int engine__query(const struct engine *engine, const char *query, double start, double end,
		  double step, struct engine_answer *answer)
{
	bool range = end > start;
	char from[32], to[32], by[32], why[256];
	const char *range_form[] = {"query", query, "start", from, "end", to, "step", by, NULL};
	const char *form[] = {"query", query, "time", from, NULL};
	auto_free char *url = NULL;
	struct fetched fetched;
	int err;

	snprintf(from, sizeof(from), "%.3f", start);
	snprintf(to, sizeof(to), "%.3f", end);
	snprintf(by, sizeof(by), "%.3f", step);
	*answer = (struct engine_answer){.start = start, .step = range ? step : 0};
	answer->nvalues = range ? fmin((end - start) / step + 1.5, MOST_VALUES) : 1;
	if (engine->shows)
		fprintf(engine->shows, "# %s\n", query);
	if (asprintf(&url, "%s/api/v1/query%s", engine->url, range ? "_range" : "") < 0) {
		url = NULL;
		return -ENOMEM;
	}
	err = fetch(&engine->fetch, url, range ? range_form : form, &fetched, why, sizeof(why));
	if (err) {
		log_error("%s cannot be asked: %s", engine->url, why);
		return err;
	}
	answer->tree = parse(engine, &fetched);
	free(fetched.body);
	err = answer->tree ? take_answer(engine, answer->tree, answer) : -EBADMSG;
	if (!err)
		say_warnings(engine, answer->tree);
	else
		engine_answer__free(answer);
	return err;
}

void engine_answer__free(struct engine_answer *answer)
{
	size_t i;

	for (i = 0; i < answer->n; i++)
		free(answer->series[i].values);
	free(answer->series);
	yajl_tree_free(answer->tree);
	yajl_tree_free(answer->more);
	*answer = (struct engine_answer){0};
}
