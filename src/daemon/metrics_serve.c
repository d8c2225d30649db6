/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shows the metrics: on a unix socket or loopback, on sockets that the service
 * manager passed, and as a file for node_exporter. The text is made at most
 * once a second, whoever asks; a scrape waits for nothing and changes nothing.
 */
#include "config.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/metrics_impl.h"
#include "io/passed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_MODE 0660
#define FILE_MODE 0644       /* node_exporter is another user */
#define PASSED "metrics"     /* FileDescriptorName= */
#define PASSED_MAX 4
#define LISTEN_ID 100        /* of the configured socket; those that were passed begin at 1 */
#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define MADE_MS 1000
#define WRITE_MS 15000       /* the file: not oftener, */
#define WRITE_STILL_MS 60000 /* and so often even if nothing changed: its age tells that we live */

static const struct httpd_limits limits = { .per_socket = 16, .all = 32, .request_ms = 10 * 1000, .piece_ms = 10 * 1000, .answer_ms = 60 * 1000 };

/* --- the text --------------------------------------------------------------------------------- */

static void
text_release(void *hold)
{
	struct text *t = hold;

	if (t == NULL || --t->holds > 0)
		return;
	free(t->p);
	free(t);
}

static struct text *
text_hold(struct text *t)
{
	t->holds++;
	return t;
}

/* Borrowed until the next call; NULL: beyond all bounds. */
static struct text *
text_now(struct daemon *d)
{
	struct metrics *m = d->metrics;
	struct buf out = BUF_INIT(TEXT_MAX);
	const struct metric_row *row;

	if (m->text != NULL && clock_mono_ms() - m->made < MADE_MS)
		return m->text;
	text_release(m->text);
	m->text = NULL;
	for (row = metric_rows; row->m.name != NULL; row++) {
		metric_head(&out, &row->m);
		row->collect(d, &row->m, &out);
	}
	if (buf_ok(&out)) {
		m->text = xcalloc(1, sizeof *m->text);
		m->text->holds = 1;
		m->text->len = out.len;
		m->text->p = buf_take(&out);
		m->made = clock_mono_ms();
	}
	buf_free(&out);
	return m->text;
}

const char *
metrics_text(struct daemon *d, size_t *len)
{
	const struct text *t = text_now(d);

	if (t == NULL)
		return NULL;
	*len = t->len;
	return t->p;
}

/* --- sockets ------------------------------------------------------------------------------------- */

static void
on_request(void *arg, uint64_t id, const struct http_request *rq, int status, struct httpd_answer *a)
{
	struct daemon *d = arg;
	bool found = rq != NULL && strcmp(rq->path, "/metrics") == 0;
	struct text *t = found ? text_now(d) : NULL;

	(void)id;
	if (t == NULL) {
		httpd_refuse(a, rq == NULL ? status : found ? 503 : 404);
		return;
	}
	a->hold = text_hold(t);
	a->release = text_release;
	a->head.status = 200;
	a->head.type = METRICS_TYPE;
	a->head.policy = HTTPD_POLICY;
	a->head.length = t->len;
	a->body = t->p;
}

static void
take_passed(struct daemon *d)
{
	int fds[PASSED_MAX];
	size_t n = passed_sockets(PASSED, fds, PASSED_MAX), i;
	struct err e;

	for (i = 0; i < n; i++) {
		err_clear(&e);
		if (httpd_adopt(d->metrics->httpd, i + 1, fds[i], &e) == 0)
			d->metrics->passed = true;
		else
			log_error("metrics: %s", e.msg);
	}
}

static int
set_socket(struct daemon *d, struct err *e)
{
	struct metrics *m = d->metrics;
	struct endpoint want = { 0 };

	if (d->conf->metrics != NULL && !m->passed)
		want = d->conf->metrics->listen;
	if (want.kind == m->listen.kind && (want.kind == 0 || endpoint_equal(&want, &m->listen)))
		return 0;
	httpd_unlisten(m->httpd, LISTEN_ID);
	memset(&m->listen, 0, sizeof m->listen);
	if (want.kind == 0)
		return 0;
	if (httpd_listen(m->httpd, LISTEN_ID, &want, SOCKET_MODE, e) != 0)
		return err_prefix(e, "metrics, listen");
	m->listen = want;
	return 0;
}

/* --- the file ---------------------------------------------------------------------------------------- */

static void
write_file(struct daemon *d)
{
	struct metrics *m = d->metrics;
	struct text *t = text_now(d);
	struct err e = ERR_INIT;
	int64_t now = clock_mono_ms();

	if (t == NULL)
		return;
	if (m->written != NULL && now - m->written_at < WRITE_STILL_MS && m->written->len == t->len && memcmp(m->written->p, t->p, t->len) == 0)
		return;
	if (file_show(m->textfile, t->p, t->len, FILE_MODE, &e) != 0) {
		if (!m->failing)
			log_error("metrics, textfile: %s; trying again", e.msg);
		m->failing = true;
		return;
	}
	if (m->failing)
		log_notice("metrics, textfile: %s is written again", m->textfile);
	m->failing = false;
	m->written_at = now;
	text_hold(t);
	text_release(m->written);
	m->written = t;
}

static void
on_write(void *arg)
{
	struct daemon *d = arg;

	write_file(d);
	timer_set(d->metrics->write_timer, WRITE_MS);
}

/* Old numbers would look like new ones to whoever reads it. */
static void
drop_file(struct metrics *m)
{
	if (m->textfile != NULL && m->written != NULL)
		unlink(m->textfile);
	text_release(m->written);
	m->written = NULL;
	free(m->textfile);
	m->textfile = NULL;
	m->failing = false;
}

static void
set_file(struct daemon *d)
{
	const char *want = d->conf->metrics != NULL ? d->conf->metrics->textfile : NULL;
	struct metrics *m = d->metrics;

	if (want != NULL && m->textfile != NULL && strcmp(want, m->textfile) == 0)
		return;
	drop_file(m);
	if (want == NULL) {
		timer_cancel(m->write_timer);
		return;
	}
	m->textfile = xstrdup(want);
	timer_set(m->write_timer, 0);
}

/* --- life ---------------------------------------------------------------------------------------------- */

static void
on_store_write(int64_t ms, void *arg)
{
	struct daemon *d = arg;

	metric_observe(&d->metrics->write, &bounds_write, ms);
}

void
metrics_on_tick(struct daemon *d, int64_t late)
{
	if (late >= 0)
		metric_observe(&d->metrics->late, &bounds_late, late);
}

void
metrics_open(struct daemon *d)
{
	struct metrics *m = xcalloc(1, sizeof *m);

	d->metrics = m;
	m->httpd = httpd_new(d->loop, &limits, on_request, d);
	m->write_timer = timer_new(d->loop, on_write, d);
	counts_set(d);
	store_watch(d->store, on_store_write, d);
	take_passed(d);
}

int
metrics_set(struct daemon *d, struct err *e)
{
	counts_set(d);
	set_file(d);
	return set_socket(d, e);
}

void
metrics_close(struct daemon *d)
{
	struct metrics *m = d->metrics;

	if (m == NULL)
		return;
	store_watch(d->store, NULL, NULL);
	httpd_free(m->httpd);
	timer_free(m->write_timer);
	drop_file(m);
	text_release(m->text);
	free(m->mirrors);
	free(m);
	d->metrics = NULL;
}
