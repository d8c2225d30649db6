/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Links between the daemon and the world: bytes on their way, what happens to
 * them there, and the world's ends (servers and conns). A link lives while one
 * of its ends or a byte on the way needs it.
 */
#include "config.h"
#include "sim/link.h"

#include "base/buf.h"
#include "base/mem.h"
#include "io/inbuf.h"
#include "sim/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CONN_INPUT_MAX ((size_t)16 * 1024 * 1024)
#define SEGMENT_MAX ((size_t)64 * 1024 * 1024)
#define STALL_MS 600000
#define FLOOD_MAX ((int64_t)768 * 1024) /* three times what a session takes without a line */

enum dir { TO_WORLD, TO_DAEMON };
enum kind { CONNECT, ACCEPT, DATA, END };

struct link {
	LIST_ENTRY(link) entry;
	unsigned refs; /* ends and segments */
	struct stream *stream; /* the daemon's end; NULL: gone */
	struct sim_conn *conn; /* the world's end; NULL: not there yet or gone */
	struct sim_server *server; /* NULL: gone, or the world connected to a listener */
	char endpoint[ENDPOINT_TEXT_MAX];
	int64_t last[2]; /* when the newest segment of a direction arrives: they keep their order */
	struct segment *newest[2]; /* NULL: it has arrived */
	size_t on_the_way; /* bytes to the world */
	bool hole, cut[2]; /* cut: what is on the way in this direction is lost */
};

/* Something on its way. */
struct segment {
	TAILQ_ENTRY(segment) entry; /* of all, or of those that a stopped server holds back */
	struct link *link;
	enum dir dir;
	enum kind kind;
	int error; /* of END */
	struct buf data;
	uint64_t ev;
	bool held;
};
TAILQ_HEAD(segments, segment);

struct sim_server {
	struct sim_server *next;
	char endpoint[ENDPOINT_TEXT_MAX];
	void (*on_connect)(struct sim_conn *c, void *arg);
	void *arg;
	bool stopped;
	struct segments held;
};

struct sim_conn {
	LIST_ENTRY(sim_conn) entry;
	struct link *link;
	uint64_t id;
	const struct sim_conn_ops *ops; /* borrowed */
	void *arg;
	struct inbuf in;
	bool *gone; /* set when it is freed inside its own callback */
};

struct rule {
	struct rule *next;
	char prefix[64];
	struct sim_mangle m;
};

static struct segments all;
static LIST_HEAD(, sim_conn) conns;
static LIST_HEAD(, link) links;
static struct sim_server *servers;
static struct rule *rules;
static uint64_t next_conn;

/* --- life --- */

void
stream_begin(void)
{
	TAILQ_INIT(&all);
	LIST_INIT(&conns);
	LIST_INIT(&links);
	next_conn = 0;
}

static void
unref(struct link *l)
{
	if (--l->refs > 0)
		return;
	LIST_REMOVE(l, entry);
	free(l);
}

static void
segment_free(struct segment *g)
{
	if (g->held)
		TAILQ_REMOVE(&g->link->server->held, g, entry);
	else
		TAILQ_REMOVE(&all, g, entry);
	if (g->dir == TO_WORLD)
		g->link->on_the_way -= g->data.len;
	if (g->link->newest[g->dir] == g)
		g->link->newest[g->dir] = NULL;
	sim_cancel(g->ev);
	mem_wipe(g->data.data, g->data.len);
	buf_free(&g->data);
	unref(g->link);
	free(g);
}

static void
conn_free(struct sim_conn *c)
{
	LIST_REMOVE(c, entry);
	if (c->gone != NULL)
		*c->gone = true;
	c->link->conn = NULL;
	unref(c->link);
	inbuf_clear(&c->in);
	free(c);
}

void
stream_end(void)
{
	struct segment *g;
	struct sim_conn *c;

	while (servers != NULL)
		sim_server_free(servers);
	while ((g = TAILQ_FIRST(&all)) != NULL)
		segment_free(g);
	while ((c = LIST_FIRST(&conns)) != NULL)
		conn_free(c);
	sim_mangle_none();
}

static struct link *
link_new(const char *endpoint)
{
	struct link *l = xcalloc(1, sizeof *l);

	if (strlen(endpoint) >= sizeof l->endpoint)
		abort();
	strcpy(l->endpoint, endpoint);
	l->refs = 1; /* the daemon's end */
	LIST_INSERT_HEAD(&links, l, entry);
	return l;
}

/* --- rules --- */

void
sim_mangle(const char *prefix, const struct sim_mangle *m)
{
	struct rule *r = xcalloc(1, sizeof *r);

	if (strlen(prefix) >= sizeof r->prefix)
		abort();
	strcpy(r->prefix, prefix);
	r->m = *m;
	r->next = rules;
	rules = r;
}

void
sim_mangle_none(void)
{
	struct rule *r;

	while ((r = rules) != NULL) {
		rules = r->next;
		free(r);
	}
}

bool
sim_mangle_is_on(void)
{
	const struct rule *r;

	for (r = rules; r != NULL; r = r->next)
		if ((r->m.split_ppm | r->m.delay_ppm | r->m.stall_ppm | r->m.truncate_ppm | r->m.half_open_ppm | r->m.flood_ppm) != 0)
			return true;
	return false;
}

static const struct sim_mangle *
rule_for(const struct link *l)
{
	const struct rule *r;

	for (r = rules; r != NULL; r = r->next)
		if (strncmp(l->endpoint, r->prefix, strlen(r->prefix)) == 0)
			return &r->m;
	return NULL;
}

/* --- on the way --- */

static void arrive(void *arg);

static void
send_segment(struct link *l, enum dir dir, enum kind kind, const void *p, size_t n, int error, int64_t delay)
{
	struct segment *g = xcalloc(1, sizeof *g);
	int64_t at = sim_now() + delay;

	if (at < l->last[dir])
		at = l->last[dir];
	l->last[dir] = at;
	l->newest[dir] = g;
	*g = (struct segment){ .link = l, .dir = dir, .kind = kind, .error = error, .data = BUF_INIT(SEGMENT_MAX) };
	buf_add(&g->data, p, n);
	if (dir == TO_WORLD)
		l->on_the_way += n;
	l->refs++;
	TAILQ_INSERT_TAIL(&all, g, entry);
	g->ev = sim_after(at - sim_now(), arrive, g);
}

/* What is written in one moment arrives as one, as with a real socket. */
static bool
join_newest(struct link *l, enum dir dir, const char *p, size_t n, int64_t delay)
{
	struct segment *g = l->newest[dir];

	if (g == NULL || g->kind != DATA || g->ev == 0 || sim_now() + delay > l->last[dir])
		return false;
	buf_add(&g->data, p, n);
	if (dir == TO_WORLD)
		l->on_the_way += n;
	return true;
}

/* In pieces, if the rule says so, each later than the one before. */
static void
send_pieces(struct link *l, enum dir dir, const char *p, size_t n, int64_t delay, const struct sim_mangle *m)
{
	unsigned parts = m != NULL && n > 1 && sim_chance(DICE_STREAM, m->split_ppm) ? (unsigned)sim_between(DICE_STREAM, 2, 5) : 1;
	size_t k, all_of_it = n;

	while (n > 0) {
		k = --parts == 0 ? n : 1 + (size_t)sim_below(DICE_STREAM, n);
		if (n < all_of_it || !join_newest(l, dir, p, k, delay)) /* parts stay apart */
			send_segment(l, dir, DATA, p, k, 0, delay);
		if (parts == 0 || k == n)
			break;
		delay += sim_between(DICE_STREAM, 0, 20);
		p += k;
		n -= k;
	}
}

static void
flood(struct link *l)
{
	size_t n = (size_t)sim_between(DICE_STREAM, 1, FLOOD_MAX), i;
	bool text = sim_chance(DICE_STREAM, 500000);
	char *junk = xreallocarray(NULL, n, 1);

	sim_bytes(DICE_STREAM, junk, n);
	for (i = 0; text && i < n; i++)
		junk[i] = i % 64 == 63 ? '\n' : (char)(' ' + ((uint8_t)junk[i] & 63));
	sim_trace("link: %zu bytes of junk from %s", n, l->endpoint);
	send_segment(l, TO_DAEMON, DATA, junk, n, 0, 0);
	free(junk);
}

static void
send_mangled(struct link *l, enum dir dir, const char *p, size_t n)
{
	const struct sim_mangle *m = rule_for(l);
	int64_t delay = 0;

	if (m != NULL && sim_chance(DICE_STREAM, m->half_open_ppm)) {
		sim_trace("link: %s is half open from now on", l->endpoint);
		l->hole = true;
	}
	if (m != NULL && sim_chance(DICE_STREAM, m->delay_ppm))
		delay += sim_between(DICE_STREAM, 1, m->delay_ms);
	if (m != NULL && sim_chance(DICE_STREAM, m->stall_ppm)) {
		delay += sim_between(DICE_STREAM, 1000, STALL_MS);
		sim_trace("link: %s stalls for %lld ms", l->endpoint, (long long)delay);
	}
	if (m != NULL && dir == TO_DAEMON && sim_chance(DICE_STREAM, m->flood_ppm))
		flood(l);
	if (m != NULL && sim_chance(DICE_STREAM, m->truncate_ppm)) {
		sim_trace("link: %s breaks off", l->endpoint);
		send_pieces(l, dir, p, (size_t)sim_below(DICE_STREAM, n), delay, m);
		send_segment(l, TO_DAEMON, END, NULL, 0, ECONNRESET, delay);
		send_segment(l, TO_WORLD, END, NULL, 0, ECONNRESET, delay);
		return;
	}
	send_pieces(l, dir, p, n, delay, m);
}

static void
end_conn(struct sim_conn *c)
{
	bool gone = false;

	c->gone = &gone;
	if (c->ops != NULL && c->ops->closed != NULL)
		c->ops->closed(c, c->arg);
	if (!gone)
		conn_free(c);
}

static struct sim_conn *
conn_new(struct link *l)
{
	struct sim_conn *c = xcalloc(1, sizeof *c);

	c->link = l;
	c->id = ++next_conn;
	c->in.max = CONN_INPUT_MAX;
	l->conn = c;
	l->refs++;
	LIST_INSERT_HEAD(&conns, c, entry);
	return c;
}

static void
take_data(struct sim_conn *c, const char *p, size_t n)
{
	size_t room, k;
	char *to;

	while (n > 0) {
		to = inbuf_space(&c->in, &room);
		if (room == 0)
			abort(); /* a model that does not read */
		k = n < room ? n : room;
		memcpy(to, p, k);
		inbuf_added(&c->in, k);
		p += k;
		n -= k;
	}
	if (c->ops != NULL && c->ops->data != NULL)
		c->ops->data(c, c->arg);
}

static void
arrive_in_world(struct link *l, const struct segment *g)
{
	if (g->kind == CONNECT) {
		if (l->server != NULL)
			l->server->on_connect(conn_new(l), l->server->arg);
	} else if (l->conn == NULL) {
		return;
	} else if (g->kind == DATA) {
		take_data(l->conn, g->data.data, g->data.len);
	} else if (g->kind == END) {
		end_conn(l->conn);
	}
}

static void
arrive_in_daemon(struct link *l, const struct segment *g)
{
	if (g->kind == ACCEPT && listener_accept(l->endpoint, l) == NULL) {
		l->refs--; /* the end that the stream would have had */
		send_segment(l, TO_WORLD, END, NULL, 0, ECONNREFUSED, 0);
	}
	if (l->stream == NULL || g->kind == ACCEPT)
		return;
	if (g->kind == CONNECT)
		stream_arrive_connected(l->stream);
	else if (g->kind == DATA)
		stream_arrive(l->stream, g->data.data, g->data.len);
	else
		stream_arrive_end(l->stream, g->error);
}

/* A segment is there: it is delivered, held back by a stopped server, or lost. */
static void
arrive(void *arg)
{
	struct segment *g = arg;
	struct link *l = g->link;
	bool lost = l->cut[g->dir] && g->kind != END;

	g->ev = 0;
	if (l->hole && !(g->kind == END && g->dir == TO_WORLD))
		lost = true;
	if (g->dir == TO_WORLD && l->server != NULL && l->server->stopped && !lost) {
		TAILQ_REMOVE(&all, g, entry);
		TAILQ_INSERT_TAIL(&l->server->held, g, entry);
		g->held = true;
		return;
	}
	l->refs++;
	if (!lost && g->dir == TO_WORLD)
		arrive_in_world(l, g);
	else if (!lost)
		arrive_in_daemon(l, g);
	segment_free(g);
	if (l->stream != NULL)
		stream_may_send(l->stream);
	unref(l);
}

/* --- the daemon's end --- */

struct link *
link_open(struct stream *s, const char *endpoint)
{
	struct sim_server *server;
	struct link *l;

	for (server = servers; server != NULL && strcmp(server->endpoint, endpoint) != 0; server = server->next)
		;
	if (server == NULL)
		return NULL;
	l = link_new(endpoint);
	l->stream = s;
	l->server = server;
	send_segment(l, TO_WORLD, CONNECT, NULL, 0, 0, 0);
	send_segment(l, TO_DAEMON, CONNECT, NULL, 0, 0, 0);
	return l;
}

void
link_set_stream(struct link *l, struct stream *s)
{
	l->stream = s;
}

void
link_send(struct link *l, const void *p, size_t n)
{
	send_mangled(l, TO_WORLD, p, n);
}

size_t
link_on_the_way(const struct link *l)
{
	return l->on_the_way;
}

/* What was written before the end is on this machine already: whoever is there reads it before anything of a later link. */
static void
hurry(struct link *l)
{
	struct segment *g;

	TAILQ_FOREACH(g, &all, entry)
		if (g->link == l && g->dir == TO_WORLD) {
			sim_cancel(g->ev);
			g->ev = sim_after(0, arrive, g);
		}
	l->last[TO_WORLD] = sim_now();
}

void
link_leave(struct link *l)
{
	l->stream = NULL;
	hurry(l);
	send_segment(l, TO_WORLD, END, NULL, 0, 0, 0);
	unref(l);
}

/* --- the world's end --- */

struct sim_server *
sim_server_new(const char *endpoint, void (*on_connect)(struct sim_conn *c, void *arg), void *arg)
{
	struct sim_server *s = xcalloc(1, sizeof *s);

	if (strlen(endpoint) >= sizeof s->endpoint)
		abort();
	strcpy(s->endpoint, endpoint);
	s->on_connect = on_connect;
	s->arg = arg;
	TAILQ_INIT(&s->held);
	s->next = servers;
	servers = s;
	return s;
}

static void
forget_server(struct sim_server *s)
{
	struct link *l, *next;
	struct segment *g;

	while ((g = TAILQ_FIRST(&s->held)) != NULL)
		segment_free(g);
	for (l = LIST_FIRST(&links); l != NULL; l = next) {
		next = LIST_NEXT(l, entry);
		if (l->server != s)
			continue;
		l->server = NULL;
		if (l->conn != NULL)
			sim_conn_reset(l->conn);
		else if (l->stream != NULL)
			send_segment(l, TO_DAEMON, END, NULL, 0, ECONNRESET, 0);
	}
}

void
sim_server_free(struct sim_server *s)
{
	struct sim_server **at;

	if (s == NULL)
		return;
	forget_server(s);
	for (at = &servers; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	free(s);
}

void
sim_server_stop(struct sim_server *s, bool stopped)
{
	struct segment *g;

	s->stopped = stopped;
	while (!stopped && (g = TAILQ_FIRST(&s->held)) != NULL) {
		TAILQ_REMOVE(&s->held, g, entry);
		TAILQ_INSERT_TAIL(&all, g, entry);
		g->held = false;
		g->ev = sim_after(0, arrive, g);
		if (g->link->last[g->dir] < sim_now())
			g->link->last[g->dir] = sim_now();
	}
}

bool
sim_server_is_stopped(const struct sim_server *s)
{
	return s->stopped;
}

void
sim_conn_set(struct sim_conn *c, const struct sim_conn_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

const char *
sim_conn_peek(struct sim_conn *c, size_t *n)
{
	return inbuf_peek(&c->in, n);
}

void
sim_conn_consume(struct sim_conn *c, size_t n)
{
	inbuf_consume(&c->in, n);
}

void
sim_conn_write(struct sim_conn *c, const void *p, size_t n)
{
	if (n > 0)
		send_mangled(c->link, TO_DAEMON, p, n);
}

void
sim_conn_puts(struct sim_conn *c, const char *text)
{
	sim_conn_write(c, text, strlen(text));
}

void
sim_conn_close(struct sim_conn *c)
{
	send_segment(c->link, TO_DAEMON, END, NULL, 0, 0, 0);
	conn_free(c);
}

void
sim_conn_reset(struct sim_conn *c)
{
	c->link->cut[TO_DAEMON] = true;
	c->link->last[TO_DAEMON] = 0;
	send_segment(c->link, TO_DAEMON, END, NULL, 0, sim_chance(DICE_STREAM, 500000) ? ECONNRESET : 0, 0);
	conn_free(c);
}

void
sim_conn_blackhole(struct sim_conn *c)
{
	c->link->hole = true;
}

uint64_t
sim_conn_id(const struct sim_conn *c)
{
	return c->id;
}

struct sim_conn *
sim_connect(const char *endpoint, const struct sim_conn_ops *ops, void *arg)
{
	struct sim_conn *c;
	struct link *l;

	if (!listener_exists(endpoint))
		return NULL;
	l = link_new(endpoint);
	c = conn_new(l);
	sim_conn_set(c, ops, arg);
	send_segment(l, TO_DAEMON, ACCEPT, NULL, 0, 0, 0);
	return c;
}
