/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/client.h"
#include "cli/screen.h"

/* The verb `watch`: what it knows (watch.c) and how that looks (watch_draw.c). */
#define WATCH_SAMPLES 16
#define WATCH_EVENTS 64

/* The last probes of a mirror: ms, or -1 for one that failed. */
struct watch_probes {
	char name[40];
	long long last; /* time of the newest one */
	int ms[WATCH_SAMPLES];
	size_t n; /* that were seen: the newest is ms[(n - 1) % WATCH_SAMPLES] */
};

struct watch {
	const struct cli *cli;
	struct screen *screen;    /* owned, as all below */
	struct loop *loop;
	struct client *client;    /* NULL: not connected */
	json_t *status, *mirrors; /* as last heard; NULL: never */
	struct watch_probes *probes;
	size_t n_probes;
	char events[WATCH_EVENTS][240]; /* a ring of lines */
	size_t n_events;
	char same[64];            /* what the newest one was about */
	char message[240];        /* in place of the keys */
	char selected[40];        /* name of a mirror */
	size_t first;             /* the uppermost mirror that is shown */
	int asking;               /* key that waits for y, 0: none */
	int64_t refresh_at, connect_at; /* mono ms */
	bool quit;
};

/* NULL: it has none yet. */
const struct watch_probes *watch_probes_find(const struct watch *w, const char *name);
/* Index of the selected mirror; 0 if it is gone. */
size_t watch_selected(const struct watch *w);
void watch_draw(struct watch *w);

#endif
