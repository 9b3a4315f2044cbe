// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures of what was found: boxes in rows, and lines between them, as SVG, for
 * Graphviz, and as a page of HTML.
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE_STRING: this is a program of user space
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define LINES_MAX	12	/* of text in a box */
#define TEXT_MAX	64
#define WIDTH		236	/* of a box, and what is between two */
#define ACROSS		40
#define DOWN		34
#define LINE		17	/* height of a line of text */
#define LETTERS		28	/* that have room in a line */
#define MARGIN		24
#define HEAD		40

struct box {
	unsigned int column;
	unsigned int row;
	enum look look;
	unsigned int lines;
	char line[LINES_MAX][TEXT_MAX];
	int x, y, height;
};

struct arrow {
	unsigned int from;
	unsigned int to;
	enum look look;
};

static struct {
	FILE *svg;
	FILE *dot;
	FILE *html;
	struct box *box;
	unsigned int boxes;
	struct arrow *arrow;
	unsigned int arrows;
	char title[256];
	char verdict[256];
	int width, height;
} picture;

static FILE *open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
	return file;
}

/**
 * picture_open() - open the files that are asked for
 * @svg: name, or NULL
 * @dot: name, or NULL
 * @html: name, or NULL
 *
 * Ahead of cage(), which allows no writing of files that are not open.
 */
void picture_open(const char *svg, const char *dot, const char *html)
{
	if (svg)
		picture.svg = open_file(svg);
	if (dot)
		picture.dot = open_file(dot);
	if (html)
		picture.html = open_file(html);
}

/**
 * picture_wanted() - is there to be one?
 *
 * Return: false if nobody has asked for it.
 */
bool picture_wanted(void)
{
	return picture.svg || picture.dot || picture.html;
}

/**
 * picture_title() - what it is a picture of
 * @format: as of printf(3)
 */
void picture_title(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(picture.title, sizeof(picture.title), format, args);
	va_end(args);
}

/**
 * picture_verdict() - what has come of it
 * @verdict: the verdict
 * @reason: why
 */
void picture_verdict(const char *verdict, const char *reason)
{
	snprintf(picture.verdict, sizeof(picture.verdict), "%s: %s", verdict,
		 reason);
}

/**
 * picture_box() - add a box
 * @column: from the left
 * @row: from above
 * @look: how it looks
 *
 * Return: its number.
 */
unsigned int picture_box(unsigned int column, unsigned int row, enum look look)
{
	struct box *box;

	picture.box = realloc(picture.box,
			      (picture.boxes + 1) * sizeof(*picture.box));
	if (!picture.box)
		fail(EXIT_SYSTEM, "out of memory");
	box = &picture.box[picture.boxes];
	memset(box, 0, sizeof(*box));
	box->column = column;
	box->row = row;
	box->look = look;
	return picture.boxes++;
}

/* Octets of a name that are no text would break a picture. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '.';
}

/**
 * picture_line() - add a line of text to a box
 * @number: of the box
 * @format: as of printf(3)
 */
void picture_line(unsigned int number, const char *format, ...)
{
	struct box *box = &picture.box[number];
	va_list args;

	if (box->lines == LINES_MAX) {
		snprintf(box->line[LINES_MAX - 1], TEXT_MAX, "and more");
		return;
	}
	va_start(args, format);
	vsnprintf(box->line[box->lines], TEXT_MAX, format, args);
	va_end(args);
	clean(box->line[box->lines++]);
}

/**
 * picture_host() - add lines with an address, and its name if it has one
 * @number: of the box
 * @address: the address
 */
void picture_host(unsigned int number, in_addr_t address)
{
	const char *name = name_of(address);
	char text[ADDRESS_TEXT];

	if (name)
		picture_line(number, "%s", name);
	picture_line(number, "%s", quad(address, text));
}

/**
 * picture_arrow() - add an arrow
 * @from: number of a box
 * @to: number of a box
 * @look: how it looks
 */
void picture_arrow(unsigned int from, unsigned int to, enum look look)
{
	struct arrow *arrow;

	picture.arrow = realloc(picture.arrow,
				(picture.arrows + 1) * sizeof(*arrow));
	if (!picture.arrow)
		fail(EXIT_SYSTEM, "out of memory");
	arrow = &picture.arrow[picture.arrows++];
	*arrow = (struct arrow){ .from = from, .to = to, .look = look };
}

static void escape(FILE *file, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '&':
			fputs("&amp;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc(*text, file);
		}
}

/* Rows are as high as their highest box. */
static void lay_out(void)
{
	unsigned int i, row, rows = 0, columns = 0;
	int y = MARGIN + HEAD, highest;

	for (i = 0; i < picture.boxes; i++) {
		struct box *box = &picture.box[i];

		if (box->row >= rows)
			rows = box->row + 1;
		if (box->column >= columns)
			columns = box->column + 1;
		box->height = LINE * box->lines + 14;
		box->x = MARGIN + box->column * (WIDTH + ACROSS);
	}
	for (row = 0; row < rows; row++) {
		highest = 0;
		for (i = 0; i < picture.boxes; i++) {
			struct box *box = &picture.box[i];

			if (box->row != row)
				continue;
			box->y = y;
			if (box->height > highest)
				highest = box->height;
		}
		y += highest + DOWN;
	}
	picture.width = 2 * MARGIN + columns * (WIDTH + ACROSS) - ACROSS;
	if (picture.width < 560)
		picture.width = 560;	/* the title */
	picture.height = y;
}

static const char *const looks[] = {
	[LOOK_US] = "us", [LOOK_ROUTER] = "router", [LOOK_GATEWAY] = "gateway",
	[LOOK_END] = "end", [LOOK_SILENT] = "silent", [LOOK_REFUSED] = "refused",
	[LOOK_SAME] = "same", [LOOK_OTHER] = "other",
};

static void draw_box(FILE *file, const struct box *box)
{
	unsigned int i;

	fprintf(file, "<g class=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
		looks[box->look], box->x, box->y, WIDTH, box->height);
	for (i = 0; i < box->lines; i++) {
		fprintf(file, "<text x=\"%d\" y=\"%d\"%s>", box->x + 10,
			box->y + 18 + LINE * i, i ? " class=\"less\"" : "");
		if (strlen(box->line[i]) > LETTERS) {
			char text[LETTERS];

			memcpy(text, box->line[i], LETTERS - 1);
			text[LETTERS - 1] = 0;
			escape(file, text);
			fputs("\u2026", file);
		} else {
			escape(file, box->line[i]);
		}
		fputs("</text>\n", file);
	}
	fputs("</g>\n", file);
}

/* From box to box, at the sides that face each other. */
static void draw_arrow(FILE *file, const struct arrow *arrow)
{
	const struct box *from = &picture.box[arrow->from];
	const struct box *to = &picture.box[arrow->to];
	int x1 = from->x + WIDTH / 2, x2 = to->x + WIDTH / 2, y1, y2;

	if (from->row < to->row) {
		y1 = from->y + from->height;
		y2 = to->y;
	} else if (from->row > to->row) {
		y1 = from->y;
		y2 = to->y + to->height;
	} else {
		bool right = from->column < to->column;

		x1 = from->x + (right ? WIDTH : 0);
		x2 = to->x + (right ? 0 : WIDTH);
		y1 = from->y + from->height / 2;
		y2 = to->y + to->height / 2;
	}
	fprintf(file, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"%s/>\n",
		looks[arrow->look], x1, y1, x2, y2,
		arrow->look == LOOK_SAME ? "" : " marker-end=\"url(#tip)\"");
}

static const char style[] =
"text{font:13px monospace;fill:#222}.title{font:bold 15px sans-serif}\n"
".sub{font:13px sans-serif;fill:#444}.less{fill:#555}\n"
"rect{fill:#f4f6fa;stroke:#5a6b85}.us rect{fill:#e4ecff;stroke:#2f55c0}\n"
".gateway rect{fill:#e9f6e6;stroke:#2e7d32;stroke-width:2}\n"
".end rect{fill:#e4ecff;stroke:#2f55c0;stroke-width:2}\n"
".silent rect{fill:#fff;stroke:#999;stroke-dasharray:4 3}\n"
".refused rect{fill:#fdeaea;stroke:#c62828;stroke-width:2}\n"
".other rect{fill:#fff3e0;stroke:#d17000;stroke-width:2}\n"
"line{stroke:#5a6b85;stroke-width:1.5}line.other{stroke:#d17000;stroke-width:2.5}\n"
"line.same{stroke:#999;stroke-dasharray:2 4}\n";

static void draw_svg(FILE *file)
{
	unsigned int i;

	fprintf(file, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
		"<style>%s</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#444\"/></marker></defs>\n"
		"<rect width=\"100%%\" height=\"100%%\" style=\"fill:#fff;stroke:none\"/>\n",
		picture.width, picture.height, picture.width, picture.height,
		style);
	fprintf(file, "<text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN,
		MARGIN + 2);
	escape(file, picture.title);
	fprintf(file, "</text>\n<text class=\"sub\" x=\"%d\" y=\"%d\">", MARGIN,
		MARGIN + 22);
	escape(file, picture.verdict);
	fputs("</text>\n", file);
	for (i = 0; i < picture.arrows; i++)
		draw_arrow(file, &picture.arrow[i]);
	for (i = 0; i < picture.boxes; i++)
		draw_box(file, &picture.box[i]);
	fputs("</svg>\n", file);
}

static void put_quoted(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		fputc(*text, file);
	}
}

static void draw_dot(FILE *file)
{
	unsigned int i, j;

	fputs("digraph srtrace {\nlabelloc=t;\nnode [shape=box, style=rounded];\nlabel=\"",
	      file);
	put_quoted(file, picture.title);
	fputs("\\n", file);
	put_quoted(file, picture.verdict);
	fputs("\";\n", file);
	for (i = 0; i < picture.boxes; i++) {
		const struct box *box = &picture.box[i];

		fprintf(file, "n%u [class=\"%s\", label=\"", i, looks[box->look]);
		for (j = 0; j < box->lines; j++) {
			put_quoted(file, box->line[j]);
			fputs(j + 1 < box->lines ? "\\n" : "", file);
		}
		fprintf(file, "\"%s];\n",
			box->look == LOOK_SILENT ? ", style=dashed" :
			box->look == LOOK_OTHER ? ", color=orange" :
			box->look == LOOK_REFUSED ? ", color=red" : "");
	}
	for (i = 0; i < picture.arrows; i++) {
		const struct arrow *arrow = &picture.arrow[i];

		fprintf(file, "n%u -> n%u [%s];\n", arrow->from, arrow->to,
			arrow->look == LOOK_SAME ?
			"style=dotted, dir=none, constraint=false" :
			arrow->look == LOOK_OTHER ? "color=orange" : "");
	}
	fputs("}\n", file);
}

static void draw_html(FILE *file)
{
	unsigned int i, j;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>",
	      file);
	escape(file, picture.title);
	fputs("</title>\n<style>body{font-family:sans-serif;margin:2em}td,th{text-align:left;padding:.2em 1em .2em 0;font-family:monospace;vertical-align:top}svg{max-width:100%;height:auto}</style></head>\n<body><h1>",
	      file);
	escape(file, picture.title);
	fputs("</h1>\n<p>", file);
	escape(file, picture.verdict);
	fputs("</p>\n", file);
	draw_svg(file);
	fputs("<table><tr><th>row</th><th>kind</th><th>what is known</th></tr>\n",
	      file);
	for (i = 0; i < picture.boxes; i++) {
		const struct box *box = &picture.box[i];

		fprintf(file, "<tr><td>%u</td><td>%s</td><td>", box->row,
			looks[box->look]);
		for (j = 0; j < box->lines; j++) {
			escape(file, box->line[j]);
			fputs("<br>", file);
		}
		fputs("</td></tr>\n", file);
	}
	fputs("</table>\n<ul>\n", file);
	for (i = DOUBT_NONE + 1; i < DOUBTS; i++)
		if (doubted(i))
			fprintf(file, "<li>not believed: %u (%s)</li>\n",
				doubted(i), doubt_name(i));
	fputs("</ul>\n</body></html>\n", file);
}

static void finish(FILE *file, void (*draw)(FILE *file))
{
	if (!file)
		return;
	draw(file);
	if (fflush(file) || ferror(file))
		fail(EXIT_SYSTEM, "a picture: %s", strerror(errno));
	fclose(file);
}

/**
 * picture_done() - draw what has been added
 */
void picture_done(void)
{
	if (!picture_wanted())
		return;
	lay_out();
	finish(picture.svg, draw_svg);
	finish(picture.dot, draw_dot);
	finish(picture.html, draw_html);
	free(picture.box);
	free(picture.arrow);
}
