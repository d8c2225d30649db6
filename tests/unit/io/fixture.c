/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of src/io share. */
#include "config.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	cr_assert(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static socklen_t
to_sockaddr(struct sockaddr_storage *sa, const struct endpoint *ep)
{
	memset(sa, 0, sizeof *sa);
	if (ep->kind == ENDPOINT_UNIX) {
		struct sockaddr_un *un = (struct sockaddr_un *)sa;

		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, ep->path, sizeof un->sun_path);
		return sizeof *un;
	} else if (ep->kind == ENDPOINT_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)sa;

		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, ep->ip, 4);
		in->sin_port = htons(ep->port);
		return sizeof *in;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

		in6->sin6_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons(ep->port);
		return sizeof *in6;
	}
}

int
raw_connect(const struct endpoint *ep)
{
	struct sockaddr_storage sa;
	socklen_t n = to_sockaddr(&sa, ep);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&sa, n), 0, "raw connect: %m");
	return fd;
}

struct endpoint
unused_endpoint(struct fixture *f, enum endpoint_kind kind)
{
	static int number;
	struct endpoint ep = { .kind = kind, .ip = { 127, 0, 0, 1 } };
	struct sockaddr_storage sa;
	socklen_t n;
	int fd;

	if (kind == ENDPOINT_UNIX) {
		snprintf(ep.path, sizeof ep.path, "%s/s%d", f->dir, number++);
		return ep;
	}
	n = to_sockaddr(&sa, &ep);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sa, n) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sa, &n) == 0);
	close(fd);
	ep.port = ntohs(kind == ENDPOINT_INET ? ((struct sockaddr_in *)&sa)->sin_port :
	    ((struct sockaddr_in6 *)&sa)->sin6_port);
	return ep;
}

void
record_cb(struct stream *s, enum stream_event ev, void *arg)
{
	struct record *r = arg;
	size_t n;
	const char *p;

	cr_expect_eq(r->inside, 0, "a callback inside a call");
	cr_expect_eq(s, r->s, "an event of another stream");
	if (r->n_events < sizeof r->events - 1)
		r->events[r->n_events++] = "CDRX"[ev];
	if (r->also != NULL) {
		stream_free(*r->also);
		*r->also = NULL;
		r->also = NULL;
	}
	if (ev == STREAM_DATA && !r->keep) {
		p = stream_peek(s, &n);
		cr_expect_gt(n, 0, "data without bytes");
		buf_add(&r->data, p, n);
		stream_consume(s, n);
	}
	if (r->may_free && ev == r->free_on) {
		r->s = NULL;
		stream_free(s);
	}
}

void
record_free(struct record *r)
{
	stream_free(r->s);
	r->s = NULL;
	buf_free(&r->data);
}

int
record_count(const struct record *r, char event)
{
	int n = 0;
	const char *p;

	for (p = r->events; *p != '\0'; p++)
		n += *p == event;
	return n;
}

static void
on_accept(struct stream *s, void *arg)
{
	struct fixture *f = arg;

	f->accepted++;
	/* Only the last one is kept. */
	stream_free(f->server.s);
	f->server.s = s;
	stream_set_cb(s, record_cb, &f->server);
}

void
fixture_up(struct fixture *f, enum endpoint_kind kind, size_t max_input)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof *f);
	f->fds = count_fds();
	f->max_input = max_input;
	f->server.data.max = (size_t)64 << 20;
	strcpy(f->dir, "/tmp/unit-io-XXXXXX");
	cr_assert(mkdtemp(f->dir) != NULL);
	f->loop = loop_new(&e);
	cr_assert(f->loop != NULL, "%s", e.msg);
	f->ep = unused_endpoint(f, kind);
	f->ls = listener_new(f->loop, &f->ep, 0600, max_input, on_accept, f, &e);
	cr_assert(f->ls != NULL, "%s", e.msg);
}

void
fixture_down(struct fixture *f)
{
	listener_free(f->ls);
	record_free(&f->server);
	loop_free(f->loop);
	cr_expect_eq(rmdir(f->dir), 0, "%s is not empty", f->dir);
	cr_expect_eq(count_fds(), f->fds, "descriptors left open");
}

struct wait {
	struct record *r;
	char event;
	int count;
	size_t bytes;
};

static bool
has_events(void *arg)
{
	struct wait *w = arg;

	return record_count(w->r, w->event) >= w->count;
}

static bool
has_bytes(void *arg)
{
	struct wait *w = arg;

	return w->r->data.len >= w->bytes;
}

static bool
is_true(void *arg)
{
	return *(bool *)arg;
}

static bool
count_down(void *arg)
{
	return --*(int *)arg < 0;
}

bool
wait_event(struct fixture *f, struct record *r, char event)
{
	struct wait w = { .r = r, .event = event, .count = record_count(r, event) + 1 };

	return loop_run_until(f->loop, has_events, &w, WAIT_MS);
}

bool
wait_bytes(struct fixture *f, struct record *r, size_t n)
{
	struct wait w = { .r = r, .bytes = n };

	return loop_run_until(f->loop, has_bytes, &w, WAIT_MS);
}

bool
wait_true(struct fixture *f, bool *flag)
{
	return loop_run_until(f->loop, is_true, flag, WAIT_MS);
}

void
run_shortly(struct fixture *f)
{
	int turns = 20;

	loop_run_until(f->loop, count_down, &turns, 30);
}

static bool
is_accepted(void *arg)
{
	return ((struct fixture *)arg)->server.s != NULL;
}

void
fixture_pair(struct fixture *f, struct record *r, size_t max_input)
{
	memset(r, 0, sizeof *r);
	r->data.max = (size_t)64 << 20;
	r->s = stream_connect(f->loop, &f->ep, max_input, record_cb, r);
	cr_assert(wait_event(f, r, 'C'), "not connected: %s", stream_error(r->s)->msg);
	cr_assert(loop_run_until(f->loop, is_accepted, f, WAIT_MS), "not accepted");
}
