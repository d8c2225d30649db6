/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live screen. Asks the daemon every second and after each event, keeps the
 * last probes of every mirror, and turns keys into methods. When the daemon goes
 * away the last state stays, marked as old, until it is back.
 */
#include "config.h"
#include "cli/watch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utc.h"
#include "cli/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_MS 50       /* how long a key waits at most */
#define REFRESH_MS 1000
#define CONNECT_MS 1000
#define ANSWER_MS 5000
#define PAST_S 3600      /* probes of so long are shown from the start */
#define PAST_PAGES 10

/* --- what is known ----------------------------------------------------------------------- */

const struct watch_probes *
watch_probes_find(const struct watch *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->n_probes; i++)
		if (strcmp(w->probes[i].name, name) == 0)
			return &w->probes[i];
	return NULL;
}

static void
add_probe(struct watch *w, const char *name, long long when, const char *verdict, long long ms)
{
	struct watch_probes *p = (struct watch_probes *)(uintptr_t)watch_probes_find(w, name);

	if (p == NULL) {
		w->probes = xreallocarray(w->probes, w->n_probes + 1, sizeof *w->probes);
		p = &w->probes[w->n_probes++];
		memset(p, 0, sizeof *p);
		snprintf(p->name, sizeof p->name, "%s", name);
	}
	if (when <= p->last)
		return;
	p->last = when;
	p->ms[p->n++ % WATCH_SAMPLES] = strcmp(verdict, "ok") == 0 && ms >= 0 && ms < 1000000 ? (int)ms : -1;
}

static void
add_event(struct watch *w, const json_t *v)
{
	char when[UTC_LEN + 1], same[sizeof w->same];

	utc_format(when, cli_int(v, "time"));
	when[19] = '\0';
	/* The same step of the same operation once more, as each upload is: only how far it is by now. */
	snprintf(same, sizeof same, "%lld %s %s", cli_int(v, "op"), out_text(v, "kind"), out_text(v, "step"));
	if (w->n_events > 0 && cli_int(v, "op") != 0 && strcmp(same, w->same) == 0)
		w->n_events--;
	memcpy(w->same, same, sizeof same);
	snprintf(w->events[w->n_events++ % WATCH_EVENTS], sizeof w->events[0], "%s %-10s %s%s: %s", when + 11, out_text(v, "mirror"),
	    strcmp(cli_text(v, "kind"), "alarm") == 0 ? "ALARM " : "", out_text(v, "step"), out_text(v, "text"));
	w->refresh_at = 0;
}

size_t
watch_selected(const struct watch *w)
{
	const json_t *m;
	size_t i;

	json_array_foreach(w->mirrors, i, m)
		if (strcmp(cli_text(m, "name"), w->selected) == 0)
			return i;
	return 0;
}

static const json_t *
selected(const struct watch *w)
{
	return json_array_get(w->mirrors, watch_selected(w));
}

/* --- the daemon ---------------------------------------------------------------------------- */

static void
lose(struct watch *w, const struct err *e)
{
	client_close(w->client);
	w->client = NULL;
	w->connect_at = clock_mono_ms() + CONNECT_MS;
	snprintf(w->message, sizeof w->message, "trying again: %s", out_escape(e->msg));
}

static void
learn_past(struct watch *w)
{
	json_int_t after = 0, since = clock_wall_s() - PAST_S;
	int pages = 0;
	json_t *r, *v;
	size_t i;

	do {
		r = client_call(w->client, "history", json_pack("{s:s,s:I,s:I}", "table", "probes", "since", since > 0 ? since : 0, "after", after), NULL);
		json_array_foreach(json_object_get(r, "records"), i, v)
			if (!json_is_true(json_object_get(v, "direct")))
				add_probe(w, cli_text(v, "mirror"), cli_int(v, "wall"), cli_text(v, "verdict"), cli_int(json_object_get(v, "ms"), "total"));
		after = cli_int(r, "next");
		i = json_is_true(json_object_get(r, "more"));
		json_decref(r);
	} while (i != 0 && ++pages < PAST_PAGES);
}

static void
connect_daemon(struct watch *w)
{
	struct err e = ERR_INIT;
	json_t *r;

	w->client = client_open_in(w->loop, w->cli, ANSWER_MS, &screen_is_over, &e);
	if (w->client == NULL) {
		lose(w, &e);
		return;
	}
	r = client_call(w->client, "subscribe", NULL, &e);
	if (r == NULL) {
		lose(w, &e);
		return;
	}
	json_decref(r);
	w->message[0] = '\0';
	learn_past(w);
	w->refresh_at = 0;
}

static void
refresh(struct watch *w)
{
	struct err e = ERR_INIT;
	json_t *status = client_call(w->client, "status", NULL, &e), *m;
	json_t *mirrors = status != NULL ? client_call_pages(w->client, "mirrors", NULL, "mirrors", &e) : NULL;
	size_t i;

	w->refresh_at = clock_mono_ms() + REFRESH_MS;
	if (mirrors == NULL) {
		json_decref(status);
		if (e.code == ERR_REFUSED)
			snprintf(w->message, sizeof w->message, "%s", out_escape(e.msg));
		else
			lose(w, &e);
		return;
	}
	json_decref(w->status);
	json_decref(w->mirrors);
	w->status = status;
	w->mirrors = json_incref(json_object_get(mirrors, "mirrors"));
	json_decref(mirrors);
	json_array_foreach(w->mirrors, i, m)
		add_probe(w, cli_text(m, "name"), cli_int(m, "last_probe"), cli_text(m, "verdict"), cli_int(json_object_get(m, "ms"), "total"));
}

/* Waits for the daemon for a moment; keys and signals are looked at in between. */
static void
wait_a_step(struct watch *w)
{
	struct err e = ERR_INIT;
	json_t *event;

	if (w->client == NULL) {
		struct timespec t = { 0, STEP_MS * 1000000L };

		nanosleep(&t, NULL);
		return;
	}
	if ((event = client_next(w->client, STEP_MS, &e)) != NULL) {
		add_event(w, event);
		json_decref(event);
	} else if (e.code != ERR_TIMEOUT) {
		lose(w, &e);
	}
}

/* --- keys ----------------------------------------------------------------------------------- */

static void
select_by(struct watch *w, int by)
{
	size_t at = watch_selected(w), n = json_array_size(w->mirrors);

	if (n == 0)
		return;
	at = by < 0 ? (at > 0 ? at - 1 : 0) : (at + 1 < n ? at + 1 : n - 1);
	snprintf(w->selected, sizeof w->selected, "%s", cli_text(json_array_get(w->mirrors, at), "name"));
}

static void
command(struct watch *w, const char *method, json_t *params)
{
	struct err e = ERR_INIT;
	json_t *r = w->client != NULL ? client_call(w->client, method, params, &e) : NULL;

	if (r != NULL)
		snprintf(w->message, sizeof w->message, "%s %s: begun, operation %lld", method, w->selected, cli_int(r, "op"));
	else if (w->client == NULL)
		json_decref(params);
	else if (e.code == ERR_REFUSED)
		snprintf(w->message, sizeof w->message, "%s", out_escape(e.msg));
	else
		lose(w, &e);
	json_decref(r);
	w->refresh_at = 0;
}

static void
act(struct watch *w, int key)
{
	const json_t *m = selected(w);
	bool held = strcmp(cli_text(m, "hold"), "maint") == 0;

	if (m == NULL)
		return;
	/* From here on it is this one, whatever a reload does to the table. */
	snprintf(w->selected, sizeof w->selected, "%s", cli_text(m, "name"));
	switch (key) {
	case 'r': command(w, "rotate", json_pack("{s:s}", "mirror", w->selected)); break;
	case 'd': command(w, "drain", json_pack("{s:s}", "mirror", w->selected)); break;
	case 'p': command(w, "probe", json_pack("{s:s}", "mirror", w->selected)); break;
	case 'm': command(w, "maint", json_pack("{s:s,s:b}", "mirror", w->selected, "on", (int)!held)); break;
	}
}

static void
ask(struct watch *w, int key)
{
	const json_t *m = selected(w);

	if (m == NULL)
		return;
	snprintf(w->selected, sizeof w->selected, "%s", cli_text(m, "name"));
	w->asking = key;
	snprintf(w->message, sizeof w->message, "%s %s? y: yes, any other key: no",
	    key == 'r' ? "rotate: a new address for" : "drain: out of the list, its address leaves:", out_escape(w->selected));
}

static void
take_key(struct watch *w, int key)
{
	int asked = w->asking;

	if (asked != 0) {
		w->asking = 0;
		w->message[0] = '\0';
		if (key == 'y')
			act(w, asked);
		return;
	}
	if (w->client != NULL)
		w->message[0] = '\0';
	switch (key) {
	case 'q': w->quit = true; break;
	case 'j':
	case SCREEN_DOWN: select_by(w, 1); break;
	case 'k':
	case SCREEN_UP: select_by(w, -1); break;
	case 'r':
	case 'd': ask(w, key); break;
	case 'm':
	case 'p': act(w, key); break;
	}
}

/* --- the verb ------------------------------------------------------------------------------- */

static void
run(struct watch *w)
{
	int key;

	while (!w->quit && !screen_is_over) {
		if (w->client == NULL && clock_mono_ms() >= w->connect_at)
			connect_daemon(w);
		else if (w->client != NULL && clock_mono_ms() >= w->refresh_at)
			refresh(w);
		do
			watch_draw(w);
		while (!screen_show(w->screen));
		wait_a_step(w);
		while (!w->quit && (key = screen_key(w->screen)) != SCREEN_NONE)
			take_key(w, key);
	}
}

int
verb_watch(struct cli *c, int argc, char **argv)
{
	struct watch w = { .cli = c };
	struct err e = ERR_INIT;
	int code = CLI_DONE;

	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	if (c->json) {
		err_set(&e, ERR_PARSE, "watch is a screen; onionmirror events --follow --json tells programs what happens");
		return cli_usage(argv[0], &e);
	}
	/* A daemon that is not there is told of in the shell, one that goes later on the screen. */
	if ((w.loop = loop_new(&e)) == NULL || (w.client = client_open_in(w.loop, c, ANSWER_MS, &screen_is_over, &e)) == NULL ||
	    (w.screen = screen_open(&e)) == NULL) {
		code = client_fail(&e);
	} else {
		client_close(w.client);
		w.client = NULL;
		run(&w);
	}
	client_close(w.client);
	loop_free(w.loop);
	screen_close(w.screen);
	json_decref(w.status);
	json_decref(w.mirrors);
	free(w.probes);
	/* As if it had not been caught. */
	if (w.screen != NULL && screen_signal() != 0)
		raise(screen_signal());
	return code;
}
