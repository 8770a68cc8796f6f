// SPDX-License-Identifier: BSD-2-Clause
/* What one host's values do: see also tests/e2e/check_fleet.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/trend.h"

#define N 48

static enum trend of(double (*shape)(size_t), double *slope, size_t *since)
{
	static double values[N];
	struct host_series series = {values, N};
	size_t i;

	for (i = 0; i < N; i++)
		values[i] = shape(i);
	return trend__of_host(&series, slope, since);
}

static double linear(size_t i)
{
	return 100 + 10 * (double)i;
}

static double late(size_t i)
{
	return i < 30 ? NAN : 100 + 10 * (double)i;
}

static double with_gaps(size_t i)
{
	return i % 3 ? linear(i) : NAN;
}

static double restarted(size_t i)
{
	return 10 * (double)(i < 20 ? i : i - 20);
}

static double just_restarted(size_t i)
{
	return i < 45 ? linear(i) : 5;
}

static double flat(size_t i)
{
	return 1000 + (double)(i % 2);
}

static double shrinks(size_t i)
{
	return 1000 - (double)i;
}

static double nothing(size_t i)
{
	(void)i;
	return NAN;
}

static double zero(size_t i)
{
	(void)i;
	return 0;
}

static double few(size_t i)
{
	return i < 45 ? NAN : linear(i);
}

static double infinite(size_t i)
{
	return i == 20 ? INFINITY : linear(i);
}

static void hosts(void **state)
{
	static const struct {
		double (*shape)(size_t);
		enum trend trend;
		double slope;
		size_t since;
	} cases[] = {
		{linear, TREND_LEAK, 10, 0},	     {late, TREND_LEAK, 10, 30},
		{with_gaps, TREND_LEAK, 10, 1},	     {restarted, TREND_LEAK, 10, 20},
		{just_restarted, TREND_LEAK, 10, 0}, {flat, TREND_STEADY, 0, 0},
		{shrinks, TREND_STEADY, 0, 0},	     {zero, TREND_STEADY, 0, 0},
		{nothing, TREND_TOO_SHORT, 0, 0},    {few, TREND_TOO_SHORT, 0, 45},
	};
	double slope;
	size_t i, since;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(of(cases[i].shape, &slope, &since), cases[i].trend);
		assert_true(fabs(slope - cases[i].slope) < 0.5);
		assert_int_equal(since, cases[i].since);
	}
	/* No harm, whatever it is taken for. */
	of(infinite, &slope, &since);
}

static void lines(void **state)
{
	double growing[N], steady[N];
	struct host_series hosts[4];
	struct line_trend line;
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		growing[i] = linear(i);
		steady[i] = 1000;
	}
	for (i = 0; i < 4; i++)
		hosts[i] = (struct host_series){i == 2 ? growing : steady, N};
	line = trend__of_line(hosts, 4);
	assert_int_equal(line.trend, TREND_ONE);
	assert_int_equal(line.first, 2);
	assert_int_equal(line.hosts, 4);
	assert_int_equal(line.held, 3000 + 570);
	hosts[0].values = growing;
	line = trend__of_line(hosts, 4);
	assert_int_equal(line.trend, TREND_LEAK);
	assert_int_equal(line.growing, 2);
	assert_int_equal(line.first, 0);
	line = trend__of_line(&hosts[1], 1);
	assert_int_equal(line.trend, TREND_STEADY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
