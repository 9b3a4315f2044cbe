// SPDX-License-Identifier: GPL-2.0-only
/*
 * A way shown while it is asked again and again. The terminal is ncurses' business.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "srtrace.h"

#define HOST_LEAST	15	/* an address */
#define HOST_MOST	40

enum colour {
	COLOUR_GOOD = 1,
	COLOUR_BAD,
	COLOUR_DOUBT,
};

/* What is on the screen, beside what is counted. */
static struct screen {
	bool names;
	bool help;
	bool dumb;
	bool narrow;		/* only the first columns, however much room */
	bool blocks;		/* there are characters for a sparkline */
	unsigned int told;	/* the last round that a dumb terminal has seen */
	unsigned int top;	/* the first row that is shown */
} screen;

struct field {
	const char *title;
	unsigned int width;
	double (*value)(const struct spot *spot, const struct times *times);
	const char *format;
};

static double loss(const struct spot *spot, const struct times *times)
{
	(void)times;
	return spot_loss(spot);
}

static double last(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times->last;
}

static double mean(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times->mean;
}

static double best(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times->best;
}

static double worst(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times->worst;
}

static double deviation(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times_deviation(times);
}

static double jitter(const struct spot *spot, const struct times *times)
{
	(void)spot;
	return times_jitter(times);
}

static double sent(const struct spot *spot, const struct times *times)
{
	(void)times;
	return spot->ended;
}

static double changes(const struct spot *spot, const struct times *times)
{
	(void)times;
	return spot->changes;
}

/* In the order in which there has to be room for them. */
static const struct field fields[] = {
	{ "loss%", 6, loss, "%6.1f" },
	{ "last", 8, last, "%8.1f" },
	{ "mean", 8, mean, "%8.1f" },
	{ "sent", 6, sent, "%6.0f" },
	{ "best", 8, best, "%8.1f" },
	{ "worst", 8, worst, "%8.1f" },
	{ "stdev", 7, deviation, "%7.1f" },
	{ "jitter", 7, jitter, "%7.1f" },
	{ "changes", 8, changes, "%8.0f" },
};

#define FIELDS	(sizeof(fields) / sizeof(*fields))

/* Lines that fit into 40 columns. */
static const char *const help_text[] = {
	"q  end, with a summary",
	"p  pause, go on",
	"r  forget what was counted",
	"n  names, addresses",
	"d  few or many columns",
	"arrows  scroll",
	"h  this text",
	"",
	"loss%: of all probes to a hop. Routers",
	"  that limit errors lose nothing else.",
	"changes: how often another router has",
	"  answered; its times are kept apart.",
	"! the ways out and back part here",
};

/* A height from the times of the hop alone: 0 is their best, 7 their worst. */
static void draw_history(const struct spot *spot, int y, int x, int width)
{
	static const char *const blocks[] = {
		"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
		"\u2587", "\u2588",
	};
	static const char *const digits[] = {
		"_", ".", ".", "-", "-", "=", "=", "#",
	};
	double least = 0, most = 0;
	int i, n = width < HISTORY ? width : HISTORY;

	for (i = HISTORY - n; i < HISTORY; i++) {
		double value = spot->history[i];

		if (value < 0)
			continue;
		if (!most || value < least)
			least = value;
		if (value > most)
			most = value;
	}
	for (i = HISTORY - n; i < HISTORY; i++) {
		double value = spot->history[i];
		unsigned int height = 0;

		if (value == HISTORY_NONE) {
			mvaddstr(y, x++, " ");
			continue;
		}
		if (value == HISTORY_LOST) {
			attron(COLOR_PAIR(COLOUR_BAD));
			mvaddstr(y, x++, "?");
			attroff(COLOR_PAIR(COLOUR_BAD));
			continue;
		}
		/* Differences of less than 0.1 ms say nothing. */
		if (most - least > 0.1)
			height = 7 * (value - least) / (most - least);
		mvaddstr(y, x++, screen.blocks ? blocks[height] :
			 digits[height]);
	}
}

static void draw_name(in_addr_t address, int y, int x, int width)
{
	const char *name = screen.names ? name_soon(address) : NULL;
	char text[ADDRESS_TEXT];

	mvprintw(y, x, "%-*.*s", width, width,
		 !address ? "*" : name ? name : quad(address, text));
}

/* How wide a column of hosts is, and how many of the others have room beside it. */
static unsigned int lay_out(int width, int *host)
{
	unsigned int n = 0, most = screen.narrow ? 3 : FIELDS;
	int left = width - 4 - HOST_LEAST;

	while (n < most && left >= (int)fields[n].width)
		left -= fields[n++].width;
	*host = HOST_LEAST;
	if (left > 0) {
		*host += left / 2;
		if (*host > HOST_MOST)
			*host = HOST_MOST;
	}
	return n;
}

static void draw_values(const struct spot *spot, const struct seen *seen,
			int y, int x, unsigned int n, bool first)
{
	unsigned int i;

	for (i = 0; i < n; i++, x += fields[i - 1].width) {
		bool of_hop = fields[i].value == loss ||
			      fields[i].value == sent ||
			      fields[i].value == changes;

		if ((of_hop && !first) || (!of_hop && !seen))
			continue;
		if (fields[i].value == loss)
			attron(COLOR_PAIR(!spot->ended ? 0 :
					  spot_loss(spot) > 0 ? COLOUR_BAD :
					  COLOUR_GOOD));
		mvprintw(y, x, fields[i].format,
			 fields[i].value(spot, seen ? &seen->times : NULL));
		attroff(COLOR_PAIR(COLOUR_BAD));
		attroff(COLOR_PAIR(COLOUR_GOOD));
	}
}

static int draw_spot(const struct monitor *monitor, unsigned int ttl, int y,
		     int host, unsigned int n)
{
	const struct spot *spot = &monitor->spot[ttl];
	const struct seen *now = spot_now(spot);
	int x = 4 + host, used = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		used += fields[i].width;
	mvprintw(y, 0, "%2u", ttl);
	draw_name(spot->now, y, 4, host);
	draw_values(spot, now, y, x, n, true);
	if (COLS - x - used > 3)
		draw_history(spot, y, x + used + 1, COLS - x - used - 2);
	y++;
	for (i = 0; i < spot->n_seen; i++) {
		if (&spot->seen[i] == now || y >= LINES - 1)
			continue;
		attron(A_DIM);
		draw_name(spot->seen[i].address, y, 4, host);
		draw_values(spot, &spot->seen[i], y++, x, n, false);
		attroff(A_DIM);
	}
	return y;
}

static void draw_titles(int y, int x, unsigned int n)
{
	unsigned int i;

	attron(A_BOLD);
	for (i = 0; i < n; x += fields[i++].width)
		mvprintw(y, x, "%*s", fields[i].width, fields[i].title);
	attroff(A_BOLD);
}

static void draw_way(const struct monitor *monitor)
{
	unsigned int ttl, rows = monitor_rows(monitor), n;
	int host, y = 2;

	n = lay_out(COLS, &host);
	draw_titles(1, 4 + host, n);
	for (ttl = settings.first + screen.top;
	     ttl <= rows && y < LINES - 1; ttl++)
		y = draw_spot(monitor, ttl, y, host, n);
}

/* Half of a row of a loop: a hop on one of its ways. */
static void draw_half(const struct monitor *monitor, unsigned int ttl, int y,
		      int x, int host, unsigned int n)
{
	const struct spot *spot = &monitor->spot[ttl];

	if (!ttl)
		return;
	mvprintw(y, x, "%2u", ttl);
	draw_name(spot->now, y, x + 3, host);
	draw_values(spot, spot_now(spot), y, x + 3 + host, n, true);
}

/*
 * Row by row from us to the gateway: what is beside each other is as far from us on
 * the way out as on the way back. A router on both ways may have two addresses.
 */
static void draw_ways(const struct monitor *monitor)
{
	unsigned int turn = monitor_turn(monitor), rows, row, outs, backs, n;
	bool returned = monitor->last.outcome == OUTCOME_RETURNED;
	unsigned int end = returned ? monitor->end : monitor_rows(monitor) + 1;
	int half = (COLS - 3) / 2, host, y = 2;
	bool parted = false;

	n = lay_out(half, &host);
	outs = turn >= settings.first ? turn - settings.first + 1 : 0;
	backs = end > turn ? end - turn - 1 : 0;
	rows = outs > backs + 1 ? outs - 1 : backs;
	mvprintw(1, 3, "out");
	mvprintw(1, half + 5, "back");
	draw_titles(1, 3 + host, n);
	draw_titles(1, half + 5 + host, n);
	for (row = screen.top; row < rows && y < LINES - 2; row++, y++) {
		unsigned int out = row + 1 < outs ? settings.first + row : 0;
		unsigned int back = returned && row < backs ?
			end - 1 - row : 0;
		bool differ = returned && (!out || !back ||
			monitor->spot[out].now != monitor->spot[back].now);

		draw_half(monitor, out, y, 0, host, n);
		draw_half(monitor, back, y, half + 2, host, n);
		if (!differ)
			continue;
		attron(COLOR_PAIR(COLOUR_DOUBT) | A_BOLD);
		mvprintw(y, half, parted ? "|" : "!");
		attroff(COLOR_PAIR(COLOUR_DOUBT) | A_BOLD);
		parted = true;
	}
	if (outs) {
		draw_half(monitor, turn, y, 0, host, n);
		mvprintw(y, half, "<- turns here");
	}
}

static void draw(const struct monitor *monitor)
{
	char text[ADDRESS_TEXT], title[512], unsent[128] = "";
	in_addr_t to = monitor_target(monitor);
	const char *name = screen.names ? name_soon(to) : NULL;
	unsigned int i;

	erase();
	if (monitor->unsent)
		snprintf(unsent, sizeof(unsent), ", %u not sent: %s",
			 monitor->unsent, strerror(monitor->error));
	snprintf(title, sizeof(title), "%s%s  round %u%s, %u changes%s",
		 monitor->loop ? "out and back " : "",
		 name ? name : quad(to, text), monitor->round,
		 monitor->paused ? ", paused" : "", monitor_changes(monitor),
		 unsent);
	attron(A_BOLD);
	mvaddnstr(0, 0, title, COLS);
	attroff(A_BOLD);
	for (i = 0; screen.help && i < sizeof(help_text) / sizeof(*help_text) &&
	     (int)i + 2 < LINES; i++)
		mvaddnstr(2 + i, 0, help_text[i], COLS);
	if (screen.help)
		;
	else if (monitor->loop)
		draw_ways(monitor);
	else
		draw_way(monitor);
	mvprintw(LINES - 1, 0, "%.*s", COLS - 1,
		 "h help  q end  p pause  r reset  n names  d columns");
	refresh();
}

static void handle(struct monitor *monitor, int key)
{
	switch (key) {
	case 'q':
		engine_stop();
		break;
	case 'p':
	case ' ':
		monitor->paused = !monitor->paused;
		break;
	case 'r':
		monitor_reset(monitor);
		break;
	case 'n':
		screen.names = !screen.names;
		break;
	case 'd':
		screen.narrow = !screen.narrow;
		break;
	case 'h':
	case '?':
		screen.help = !screen.help;
		break;
	case KEY_DOWN:
		if (screen.top + 1 < monitor_rows(monitor))
			screen.top++;
		break;
	case KEY_UP:
		if (screen.top)
			screen.top--;
		break;
	}
}

static void tick(struct work *work)
{
	struct monitor *monitor = (struct monitor *)work;
	int key;

	while ((key = getch()) != ERR)
		handle(monitor, key);
	draw(monitor);
}

/* Nothing is drawn where a terminal cannot: a line for each round. */
static void tick_dumb(struct work *work)
{
	struct monitor *monitor = (struct monitor *)work;
	const struct spot *end = &monitor->spot[monitor->end];
	unsigned int ttl, lossy = 0, rows = monitor_rows(monitor);

	if (monitor->round < 2 || screen.told == monitor->round)
		return;
	screen.told = monitor->round;
	for (ttl = settings.first; ttl <= rows; ttl++)
		if (monitor->spot[ttl].ended &&
		    monitor->spot[ttl].received < monitor->spot[ttl].ended)
			lossy++;
	printf("round %u: %u hops, %u with losses, %u changes of the way",
	       monitor->round - 1, rows, lossy, monitor_changes(monitor));
	if (reply_is_reached(&monitor->last) && spot_now(end))
		printf(", %.1f ms, %.1f %% lost",
		       spot_now(end)->times.last, spot_loss(end));
	if (monitor->unsent)
		printf(", %u not sent: %s", monitor->unsent,
		       strerror(monitor->error));
	printf("\n");
	output_done();
}

static bool open_screen(void)
{
	const char *name = getenv("TERM");
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !name ||
	    setupterm(NULL, STDOUT_FILENO, &error) != OK ||
	    !tigetstr("cup") || tigetstr("cup") == (char *)-1)
		return false;
	screen.blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
	initscr();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors() && settings.colour) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_GOOD, COLOR_GREEN, -1);
		init_pair(COLOUR_BAD, COLOR_RED, -1);
		init_pair(COLOUR_DOUBT, COLOR_YELLOW, -1);
	}
	return true;
}

/**
 * watch() - show a way while it is asked again and again
 * @route: the way
 * @loop: out to the last gateway and back
 *
 * Return: exit code.
 */
int watch(const struct route *route, bool loop)
{
	static struct monitor monitor;

	setlocale(LC_CTYPE, "");
	monitor_begin(&monitor, route, loop);
	screen.names = !settings.numeric;
	screen.dumb = !open_screen();
	monitor.work.tick = screen.dumb ? tick_dumb : tick;
	engine_run(&monitor.work);
	if (!screen.dumb)
		endwin();
	monitor_show(&monitor);
	return reply_is_reached(&monitor.last) ? EXIT_REACHED :
						 EXIT_NOT_REACHED;
}
