/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list service: each onion also answers on the list port, through a unix
 * socket of its own. So the socket says which onion was asked, and nothing
 * that a client sends does: not even the Host header is looked at. An onion
 * gives the files of its channel and its own leaf; there is no way to ask it
 * for another channel. All of one channel answer alike, byte for byte.
 */
#include "config.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/httpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tor runs as another user. What the sockets give is public to whoever knows the onion. */
#define SOCKET_MODE 0666
/* Bytes of lists that are out no longer. An answer may take minutes and a new list comes as often as each minute. */
#define OLD_MAX ((size_t)32 * 1024 * 1024)

struct channel {
	char name[CONF_NAME_MAX + 1];
	struct served *files; /* held; NULL: nothing is published yet */
};

struct listservice {
	struct daemon *d;
	struct httpd *httpd;      /* owned */
	struct channel *channels; /* owned */
	size_t n;
	struct served **old; /* owned array, held: lists that slow readers still read, the oldest first */
	size_t n_old, old_max;
};

/* --- answers --------------------------------------------------------------------- */

static void
release(void *hold)
{
	served_release(hold);
}

static struct served *
files_of(const struct listservice *ls, const struct onion_record *r)
{
	const char *name = r != NULL ? daemon_channel(ls->d, r) : "";
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (strcmp(ls->channels[i].name, name) == 0)
			return ls->channels[i].files;
	return NULL;
}

static void
on_request(void *arg, uint64_t id, const struct http_request *rq, int status, struct httpd_answer *a)
{
	struct listservice *ls = arg;
	const struct onion_record *r = engine_onion(ls->d->engine, id);
	struct served *files = files_of(ls, r);
	const struct served_file *f = rq != NULL && files != NULL ? served_find(files, rq->path, r->address) : NULL;

	if (f == NULL) {
		httpd_refuse(a, rq == NULL ? status : files == NULL ? 503 : 404);
		return;
	}
	a->hold = served_hold(files);
	a->release = release;
	a->head.status = http_none_match(rq, f->etag) ? 304 : 200;
	a->head.type = f->type;
	a->head.etag = f->etag;
	a->head.policy = served_policy(files);
	a->head.length = f->len;
	a->body = f->text;
}

/* --- sockets ---------------------------------------------------------------------- */

static void
socket_of(const struct conf_list *c, uint64_t id, struct endpoint *ep)
{
	*ep = (struct endpoint){ .kind = ENDPOINT_UNIX };
	snprintf(ep->path, sizeof ep->path, "%s/%llu", c->sockets, (unsigned long long)id);
}

/* Does tor have it, or will it soon? */
static bool
is_served(const struct onion_record *r)
{
	return r->state >= ONION_ADDING && r->state <= ONION_REVOKED;
}

void
listservice_follow(struct daemon *d, uint64_t onion)
{
	const struct onion_record *r = engine_onion(d->engine, onion);
	struct err e = ERR_INIT;
	struct endpoint ep;

	if (d->lists == NULL)
		return;
	if (d->conf->list == NULL || r == NULL || !is_served(r)) {
		httpd_unlisten(d->lists->httpd, onion);
		return;
	}
	if (httpd_listens(d->lists->httpd, onion))
		return;
	socket_of(d->conf->list, onion, &ep);
	/* The mirror itself answers all the same. */
	if (httpd_listen(d->lists->httpd, onion, &ep, SOCKET_MODE, &e) != 0)
		log_error("%s: no list service: %s", r->mirror, e.msg);
}

static void
follow_one(const struct onion_record *r, void *arg)
{
	listservice_follow(arg, r->id);
}

bool
listservice_port(struct daemon *d, uint64_t onion, struct command_port *port)
{
	listservice_follow(d, onion);
	if (d->lists == NULL || !httpd_listens(d->lists->httpd, onion))
		return false;
	port->virt = (uint16_t)d->conf->list->port;
	socket_of(d->conf->list, onion, &port->target);
	return true;
}

/* --- lists ------------------------------------------------------------------------- */

static void
drop_channels(struct listservice *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		served_release(ls->channels[i].files);
	free(ls->channels);
	ls->channels = NULL;
	ls->n = 0;
}

/* Lets go of old lists that nobody reads, and of the oldest with its readers while they are more than the bound. */
static void
bound_old(struct listservice *ls)
{
	size_t i, kept = 0, bytes = 0;

	for (i = ls->n_old; i > 0; i--) {
		bytes += served_is_shared(ls->old[i - 1]) ? served_size(ls->old[i - 1]) : 0;
		if (bytes > ls->old_max)
			httpd_end_holders(ls->httpd, ls->old[i - 1]);
	}
	for (i = 0; i < ls->n_old; i++) {
		if (served_is_shared(ls->old[i]))
			ls->old[kept++] = ls->old[i];
		else
			served_release(ls->old[i]);
	}
	ls->n_old = kept;
}

/* What it had of a channel, held once more. */
static struct served *
held_before(const struct listservice *ls, const char *name)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (strcmp(ls->channels[i].name, name) == 0 && ls->channels[i].files != NULL)
			return served_hold(ls->channels[i].files);
	return NULL;
}

/* A channel's list: what it had, if that is still out or what is can't be read; else read anew. Held. */
static struct served *
load(struct listservice *ls, const char *name)
{
	const char *dir = ls->d->conf->publish_dir;
	struct served *before = held_before(ls, name), *s;
	struct err e = ERR_INIT;

	if (before != NULL && served_is_current(before, dir, name))
		return before;
	if (served_load(&s, dir, name, &e) != 0) {
		if (e.code != ERR_NOTFOUND)
			log_error("list service, channel %s: %s", name, e.msg);
		return before;
	}
	if (before != NULL) {
		ls->old = xreallocarray(ls->old, ls->n_old + 1, sizeof(struct served *));
		ls->old[ls->n_old++] = before;
	}
	return s;
}

void
listservice_refresh(struct daemon *d)
{
	struct listservice *ls = d->lists;
	size_t n = d->conf->n_channels, i;
	struct channel *fresh;

	if (ls == NULL)
		return;
	fresh = xcalloc(n, sizeof *fresh);
	for (i = 0; i < n; i++) {
		memcpy(fresh[i].name, d->conf->channels[i].name, strlen(d->conf->channels[i].name) + 1);
		fresh[i].files = load(ls, fresh[i].name);
	}
	drop_channels(ls);
	ls->channels = fresh;
	ls->n = n;
	bound_old(ls);
}

void
listservice_bound_old(struct daemon *d, size_t bytes)
{
	d->lists->old_max = bytes;
	bound_old(d->lists);
}

size_t
listservice_old(const struct daemon *d)
{
	return d->lists->n_old;
}

/* --- life --------------------------------------------------------------------------- */

int
listservice_set(struct daemon *d, struct err *e)
{
	if (d->conf->list == NULL) {
		listservice_free(d);
		return 0;
	}
	if (d->lists == NULL) {
		if (file_mkdirs(d->conf->list->sockets, 0755, e) != 0 || file_check_dir(d->conf->list->sockets, e) != 0)
			return err_prefix(e, "list-service, sockets");
		d->lists = xcalloc(1, sizeof *d->lists);
		d->lists->d = d;
		d->lists->httpd = httpd_new(d->loop, &httpd_limits, on_request, d->lists);
		listservice_bound_old(d, OLD_MAX);
	}
	listservice_refresh(d);
	engine_each_onion(d->engine, follow_one, d);
	return 0;
}

void
listservice_free(struct daemon *d)
{
	if (d->lists == NULL)
		return;
	listservice_bound_old(d, 0);
	httpd_free(d->lists->httpd);
	drop_channels(d->lists);
	free(d->lists->old);
	free(d->lists);
	d->lists = NULL;
}
