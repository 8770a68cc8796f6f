// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

#include "format.h"
#include "interrupt.h"
#include "record.h"
#include "say.h"
#include "session.h"
#include "target.h"
#include "top.h"

/* How soon a key is answered, seconds. */
#define KEY_DELAY 0.1

static void put(int *y, const char *text)
{
	if (*y < LINES)
		mvaddnstr((*y)++, 0, text, COLS);
}

static void put_process(const struct profile *profile, const struct profile_process *process, int *y)
{
	char text[512];
	uint64_t lost = 0;
	int cause;

	for (cause = 0; cause < LOST_CAUSES; cause++)
		lost += process->lost[cause];
	snprintf(text, sizeof(text), "%d %s  CPython %s, %s, %s, %.0f s%s", process->pid,
		 process->comm, process->python, profile->mode,
		 attribution__name(process->attribution), profile->duration_seconds,
		 process->state == PROCESS_EXITED ? ", has exited" :
		 process->state == PROCESS_EXECED ? ", has executed another program" : "");
	attron(A_BOLD);
	put(y, text);
	attroff(A_BOLD);
	snprintf(text, sizeof(text),
		 "RSS %s (%s at attach)  outstanding %s in %s blocks  mapped %s  lost %s  maps %s",
		 format_bytes(process->rss_bytes).s, format_bytes(process->rss_at_attach_bytes).s,
		 format_bytes(process->total.outstanding_bytes).s,
		 format_count(process->total.outstanding_count).s,
		 format_bytes(process->total.mapped_bytes).s, format_count(lost).s,
		 format_bytes(profile->map_bytes).s);
	put(y, text);
}

static void put_line(const struct profile_line *line, int *y)
{
	const struct name *place = line->place;
	char text[4096], number[16] = "";

	if (place->line)
		snprintf(number, sizeof(number), ":%d", place->line);
	snprintf(text, sizeof(text), "%12s %12s %12s %12s  %s%s%s%s%s",
		 format_bytes(line->amounts.outstanding_bytes).s,
		 format_change(line->increment_bytes).s,
		 format_bytes(line->amounts.mapped_bytes).s,
		 format_count(line->amounts.allocated_count).s, place->file, number,
		 place->function[0] ? " (" : "", place->function, place->function[0] ? ")" : "");
	put(y, text);
}

static void draw(const struct profile *profile)
{
	const struct profile_process *process;
	char text[128];
	int y = 0, rows;
	size_t p, i;

	erase();
	for (p = 0; p < profile->nprocesses && y < LINES - 1; p++) {
		process = &profile->processes[p];
		put_process(profile, process, &y);
		snprintf(text, sizeof(text), "%12s %12s %12s %12s  %s", "OUTSTANDING", "INCREMENT",
			 "MAPPED", "ALLOCATIONS", "LINE");
		attron(A_REVERSE);
		put(&y, text);
		attroff(A_REVERSE);
		/* The room that is left goes to all processes alike. */
		rows = (LINES - 1 - y) / (int)(profile->nprocesses - p) - (p + 1 < profile->nprocesses);
		for (i = 0; i < process->nlines && (int)i < rows; i++)
			put_line(&process->lines[i], &y);
	}
	mvaddnstr(LINES - 1, 0, "q quits", COLS);
	refresh();
}

/* Until q, a signal, or the end of the duration. */
static int watch(struct session *session, const struct options *options)
{
	const struct profile_options how = { .order = BY_OUTSTANDING, .next = true };
	double interval = options->interval ? options->interval : 1, next = 0;
	const struct profile *profile;
	int err, key;

	while (!interrupt__signal() &&
	       (!options->duration || session__elapsed(session) < options->duration)) {
		if (session__elapsed(session) >= next) {
			err = session__profile(session, &how, &profile);
			if (err)
				return err;
			draw(profile);
			next = session__elapsed(session) + interval;
		}
		while ((key = getch()) != ERR) {
			if (key == 'q' || key == 'Q')
				return 0;
			if (key == KEY_RESIZE)
				next = 0;
		}
		if (session__is_alive(session))
			err = session__wait(session, KEY_DELAY);
		else
			err = usleep(KEY_DELAY * 1e6) && errno != EINTR ? -errno : 0;
		if (err)
			return err;
	}
	return 0;
}

static int run_on_terminal(const struct options *options)
{
	struct session_options how = {
		.type = options->type,
		.source = options->source,
		.attribution = options->attribution,
		.pids = options->pids,
		.npids = options->npids,
	};
	struct session *session;
	SCREEN *screen;
	int err;

	interrupt__catch();
	err = session__new(&how, &session);
	if (err)
		return EXIT_FAILURE;
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		say_error("the terminal %s is not known; set TERM", getenv("TERM") ?: "(none)");
		session__free(session);
		return EXIT_FAILURE;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	err = watch(session, options);
	endwin();
	delscreen(screen);
	session__free(session);
	/* What was said before is gone with the screen. */
	if (err)
		say_error("the view ended: %s", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int top__run(const struct options *options)
{
	struct options record = *options;

	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return run_on_terminal(options);
	record.interval = 0;
	if (!record.duration)
		record.duration = 10;
	return record__run(&record);
}
