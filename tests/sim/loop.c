/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io/loop.h over a heap of events in virtual time, and the two clocks. Events
 * are the world's and the daemon's alike; ties go in order of their making.
 */
#include "config.h"
#include "io/loop.h"

#include "base/mem.h"
#include "io/notify.h"
#include "io/passed.h"
#include "io/syscalls.h"
#include "sim/impl.h"
#include "sim/io_impl.h"

#include <stdlib.h>
#include <string.h>

/* --- the heap --- */

struct slot {
	int64_t at;
	uint64_t seq;
	uint64_t generation;
	void (*fn)(void *arg);
	void *arg;
	uint32_t pos; /* in the heap; NOWHERE: free */
};
#define NOWHERE UINT32_MAX
#define SLOT_BITS 24

static struct slot *slots;
static uint32_t *heap, *spare; /* slot numbers */
static uint32_t n_slots, n_heap, n_spare;
static uint64_t next_seq, generation, done;
static int64_t now, wall_offset;

static bool
before(uint32_t a, uint32_t b)
{
	const struct slot *x = &slots[a], *y = &slots[b];

	return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

static void
put(uint32_t pos, uint32_t slot)
{
	heap[pos] = slot;
	slots[slot].pos = pos;
}

static void
sift_up(uint32_t pos)
{
	uint32_t slot = heap[pos];

	for (; pos > 0 && before(slot, heap[(pos - 1) / 2]); pos = (pos - 1) / 2)
		put(pos, heap[(pos - 1) / 2]);
	put(pos, slot);
}

static void
sift_down(uint32_t pos)
{
	uint32_t slot = heap[pos], child;

	while ((child = 2 * pos + 1) < n_heap) {
		if (child + 1 < n_heap && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], slot))
			break;
		put(pos, heap[child]);
		pos = child;
	}
	put(pos, slot);
}

static void
take_out(uint32_t pos)
{
	uint32_t slot = heap[pos], last = heap[--n_heap];

	slots[slot].pos = NOWHERE;
	spare[n_spare++] = slot;
	if (last == slot)
		return;
	put(pos, last);
	sift_down(pos);
	sift_up(slots[last].pos);
}

static void
grow(void)
{
	uint32_t more = n_slots == 0 ? 256 : n_slots, i;

	slots = xreallocarray(slots, n_slots + more, sizeof *slots);
	heap = xreallocarray(heap, n_slots + more, sizeof *heap);
	spare = xreallocarray(spare, n_slots + more, sizeof *spare);
	for (i = n_slots + more; i-- > n_slots;)
		spare[n_spare++] = i;
	n_slots += more;
}

uint64_t
sim_after(int64_t ms, void (*fn)(void *arg), void *arg)
{
	uint32_t slot;

	if (n_spare == 0)
		grow();
	slot = spare[--n_spare];
	slots[slot] = (struct slot){ .at = now + (ms > 0 ? ms : 0), .seq = next_seq++, .generation = ++generation, .fn = fn, .arg = arg };
	put(n_heap++, slot);
	sift_up(n_heap - 1);
	return generation << SLOT_BITS | slot;
}

void
sim_cancel(uint64_t id)
{
	uint32_t slot = (uint32_t)(id & ((1u << SLOT_BITS) - 1));

	if (id != 0 && slot < n_slots && slots[slot].pos != NOWHERE && slots[slot].generation == id >> SLOT_BITS)
		take_out(slots[slot].pos);
}

bool
loop_step(int64_t until)
{
	struct slot s;

	if (n_heap == 0 || slots[heap[0]].at > until)
		return false;
	s = slots[heap[0]];
	take_out(0);
	now = s.at;
	done++;
	s.fn(s.arg);
	return true;
}

uint64_t
loop_events(void)
{
	return done;
}

void
loop_begin(void)
{
	loop_end();
	next_seq = done = 0;
	now = wall_offset = 0;
}

void
loop_end(void)
{
	free(slots);
	free(heap);
	free(spare);
	slots = NULL;
	heap = spare = NULL;
	n_slots = n_heap = n_spare = 0;
}

/* --- clocks --- */

#define UPTIME_MS INT64_C(5000000) /* of the machine when a world begins */

int64_t
sim_now(void)
{
	return now;
}

int64_t
sim_true_wall(void)
{
	return SIM_EPOCH + now / 1000;
}

int64_t
sim_wall(void)
{
	return sim_true_wall() + wall_offset;
}

void
sim_wall_step(int64_t s)
{
	wall_offset += s;
}

void
sim_wall_set_offset(int64_t s)
{
	wall_offset = s;
}

static int64_t
mono_ms(void)
{
	return now + UPTIME_MS;
}

void
clock_begin(void)
{
	static const struct clock_source source = { mono_ms, sim_wall };

	clock_set_source(&source);
}

/* --- io/loop.h --- */

#define WATCHES 8
struct signal_watch {
	struct loop *loop;
	int signo;
	void (*cb)(int signo, void *arg);
	void *arg;
};
static struct signal_watch *watches[WATCHES];
static struct loop *current; /* the daemon's, NULL: none */

struct loop *
loop_new(struct err *e)
{
	struct loop *l = xcalloc(1, sizeof *l);

	(void)e;
	current = l;
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	stream_free_drained(l);
	if (current == l)
		current = NULL;
	free(l);
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

bool
loop_wants_stop(void)
{
	return current != NULL && current->stop;
}

/* The world turns the loop (runner.c); nobody waits in one of these here. */
int
loop_run(struct loop *l)
{
	while (!l->stop && loop_step(INT64_MAX))
		;
	return l->stop ? 0 : -1;
}

bool
loop_run_until(struct loop *l, bool (*is_done)(void *arg), void *arg, int64_t ms)
{
	int64_t end = now + ms;

	while (!is_done(arg) && !l->stop && loop_step(end))
		;
	return is_done(arg);
}

struct timer {
	void (*cb)(void *arg);
	void *arg;
	uint64_t ev; /* 0: not set */
};

struct timer *
timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof *t);

	(void)l;
	t->cb = cb;
	t->arg = arg;
	return t;
}

static void
on_timer(void *arg)
{
	struct timer *t = arg;

	t->ev = 0;
	t->cb(t->arg); /* may free t */
}

void
timer_set(struct timer *t, int64_t ms)
{
	sim_cancel(t->ev);
	t->ev = sim_after(ms, on_timer, t);
}

void
timer_cancel(struct timer *t)
{
	sim_cancel(t->ev);
	t->ev = 0;
}

bool
timer_is_set(const struct timer *t)
{
	return t->ev != 0;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	sim_cancel(t->ev);
	free(t);
}

struct signal_watch *
signal_watch_new(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg)
{
	struct signal_watch *w = xcalloc(1, sizeof *w);
	int i;

	w->loop = l;
	w->signo = signo;
	w->cb = cb;
	w->arg = arg;
	for (i = 0; i < WATCHES && watches[i] != NULL; i++)
		;
	if (i == WATCHES)
		abort();
	watches[i] = w;
	return w;
}

void
signal_watch_free(struct signal_watch *w)
{
	int i;

	for (i = 0; w != NULL && i < WATCHES; i++)
		if (watches[i] == w)
			watches[i] = NULL;
	free(w);
}

void
loop_deliver_signal(int signo)
{
	int i;

	for (i = 0; i < WATCHES; i++)
		if (watches[i] != NULL && watches[i]->signo == signo) {
			watches[i]->cb(signo, watches[i]->arg);
			return;
		}
}

/* --- io/notify.h, io/passed.h: there is no service manager --- */

size_t
passed_sockets(const char *name, int *fds, size_t max)
{
	(void)name;
	(void)fds;
	(void)max;
	return 0;
}

int
notify_send(const char *state)
{
	(void)state;
	return 0;
}

int64_t
notify_watchdog_ms(void)
{
	return 0;
}

/* --- io/syscalls.h: the process is the world's, too --- */

int
syscalls_confine(const struct syscalls_rules *rules, struct err *e)
{
	(void)rules;
	return err_set(e, ERR_NOTFOUND, "not in a simulated world");
}

unsigned
syscalls_refused(const char **name)
{
	*name = NULL;
	return 0;
}
