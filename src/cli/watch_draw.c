/* SPDX-License-Identifier: BSD-3-Clause */
/* How the live screen looks: from the top what is about all, the mirrors, the last events, the keys. */
#include "config.h"
#include "cli/watch.h"

#include "base/clock.h"
#include "base/utc.h"
#include "cli/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALARMS_MAX 4
#define EVENTS_MIN 3
#define EVENTS_MAX 10
#define FIXED 64 /* columns of a mirror's line beside its name */

struct drawing {
	struct watch *w;
	unsigned row;
};

static void __attribute__((format(printf, 3, 4)))
draw(struct drawing *d, enum screen_style style, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	screen_line(d->w->screen, d->row++, style, text);
}

/* The last probes as bars, the newest at the right; each mirror in its own scale. x: one that failed. */
static const char *
sparkline(const struct watch *w, const char *name)
{
	static const char *const utf8[] = { "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { "_", ".", "-", "=", "+", "*", "%", "#" };
	static char out[WATCH_SAMPLES * 4 + 1];
	const struct watch_probes *p = watch_probes_find(w, name);
	size_t i, first;
	int most = 1;

	out[0] = '\0';
	if (p == NULL)
		return out;
	first = p->n > WATCH_SAMPLES ? p->n - WATCH_SAMPLES : 0;
	for (i = first; i < p->n; i++)
		most = p->ms[i % WATCH_SAMPLES] > most ? p->ms[i % WATCH_SAMPLES] : most;
	for (i = first; i < p->n; i++) {
		int ms = p->ms[i % WATCH_SAMPLES];

		strcat(out, ms < 0 ? "x" : (screen_is_utf8(w->screen) ? utf8 : ascii)[(long long)ms * 7 / most]);
	}
	return out;
}

static void
draw_top(struct drawing *d)
{
	const struct watch *w = d->w;
	const json_t *list = json_object_get(w->status, "list"), *v;
	char now[UTC_LEN + 1], title[200];
	size_t i;

	utc_format(now, clock_wall_s());
	now[19] = '\0';
	snprintf(title, sizeof title, " %s  member %s%s", out_text(w->status, "site"), out_text(w->status, "member"),
	    w->client == NULL ? "  NOT CONNECTED, this is old" : "");
	draw(d, SCREEN_REVERSE, "%-*.*s %s UTC ", (int)screen_columns(w->screen) - 14, (int)screen_columns(w->screen) - 14, title, now + 11);
	if (cli_int(list, "serial") > 0)
		draw(d, SCREEN_PLAIN, " list     serial %lld, published %s, runs out %s", cli_int(list, "serial"), out_age(list, "published"),
		    out_age(list, "valid_until"));
	else
		draw(d, SCREEN_PLAIN, " list     nothing published yet");
	json_array_foreach(json_object_get(w->status, "tors"), i, v)
		if (i < ALARMS_MAX) {
			bool fit = json_is_true(json_object_get(v, "fit"));

			draw(d, SCREEN_PLAIN, " tor      %s: %s, %s%s", out_text(v, "name"), out_text(v, "state"), fit ? "fit to judge, version " : "not fit to judge: ",
			    out_text(v, fit ? "version" : "why"));
		}
	json_array_foreach(json_object_get(w->status, "alarms"), i, v)
		if (i < ALARMS_MAX)
			draw(d, SCREEN_BOLD, " ALARM    %s", out_escape(json_is_string(v) ? json_string_value(v) : ""));
	draw(d, SCREEN_PLAIN, "%s", ""); /* also over what an earlier frame had there */
}

static void
draw_mirror(struct drawing *d, const json_t *m, int width, bool selected)
{
	char probe[32], uploads[16], next[32];
	long long ms = cli_int(json_object_get(m, "ms"), "total");

	if (cli_int(m, "last_probe") == 0)
		snprintf(probe, sizeof probe, "none yet");
	else if (strcmp(cli_text(m, "verdict"), "ok") == 0)
		snprintf(probe, sizeof probe, "ok %lld ms", ms);
	else
		snprintf(probe, sizeof probe, "%s", out_text(m, "verdict"));
	snprintf(uploads, sizeof uploads, "%lld/%lld", cli_int(m, "uploads"), cli_int(m, "uploads_started"));
	snprintf(next, sizeof next, "%s", cli_int(m, "next_probe") > 0 ? out_age(m, "next_probe") : "-");
	if (cli_int(m, "next_probe") > 0 && cli_int(m, "next_probe") <= clock_wall_s())
		snprintf(next, sizeof next, "now");
	draw(d, selected ? SCREEN_REVERSE : SCREEN_PLAIN, "%c%-*.*s %-12s %-14s %-9s %-7s %s", selected ? '>' : ' ', width, width,
	    out_text(m, "name"), out_text(m, "state"), probe, next, uploads, sparkline(d->w, cli_text(m, "name")));
}

/* As many as there is room for, around the selected one; and its address. */
static void
draw_mirrors(struct drawing *d)
{
	struct watch *w = d->w;
	size_t n = json_array_size(w->mirrors), at = watch_selected(w), i, most;
	unsigned rows = screen_rows(w->screen), taken = d->row + 2 + 1 + EVENTS_MIN + 1;
	int width = (int)screen_columns(w->screen) - FIXED;

	width = width < 8 ? 8 : width > 32 ? 32 : width;
	most = rows > taken ? rows - taken : 1;
	most = n < most ? n : most;
	if (at < w->first)
		w->first = at;
	if (most > 0 && at >= w->first + most)
		w->first = at - most + 1;
	if (w->first + most > n)
		w->first = n - most;
	draw(d, SCREEN_BOLD, " %-*s %-12s %-14s %-9s %-7s %s", width, "MIRROR", "STATE", "PROBE", "NEXT", "UPLOADS", "LATENCY");
	for (i = w->first; i < w->first + most; i++)
		draw_mirror(d, json_array_get(w->mirrors, i), width, i == at);
	if (n > 0)
		draw(d, SCREEN_PLAIN, " %s%s", out_text(json_array_get(w->mirrors, at), "listed"), n > most ? "   (more with j and k)" : "");
}

void
watch_draw(struct watch *w)
{
	unsigned rows = screen_rows(w->screen), room;
	struct drawing d = { w, 0 };
	size_t i, n;

	draw_top(&d);
	draw_mirrors(&d);
	/* The events lie on the keys; what is in between is empty. */
	n = w->n_events < EVENTS_MAX ? w->n_events : EVENTS_MAX;
	room = rows > d.row + 1 ? rows - d.row - 1 : 0;
	n = n < room ? n : room;
	for (; d.row + n + 1 < rows;)
		draw(&d, SCREEN_PLAIN, "%s", "");
	for (i = w->n_events - n; i < w->n_events; i++)
		draw(&d, SCREEN_PLAIN, " %s", w->events[i % WATCH_EVENTS]);
	d.row = rows > 0 ? rows - 1 : 0;
	draw(&d, SCREEN_REVERSE, " %s", w->message[0] != '\0' ? w->message : "q quit  j/k select  r rotate  d drain  m maint on/off  p probe");
}
