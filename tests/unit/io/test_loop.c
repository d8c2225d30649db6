/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop, its timers and signals. */
#include "config.h"
#include "fixture.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct tick {
	struct loop *loop;
	struct timer *t;
	int count, again, inside;
	bool free_it, stop;
	int64_t at;
};

static void
on_tick(void *arg)
{
	struct tick *k = arg;

	cr_expect_eq(k->inside, 0, "a callback inside a call");
	k->count++;
	k->at = clock_mono_ms();
	cr_expect(!timer_is_set(k->t), "not set any more in its callback");
	if (k->again-- > 0) {
		k->inside++;
		timer_set(k->t, 0);
		k->inside--;
	}
	if (k->free_it) {
		timer_free(k->t);
		k->t = NULL;
	}
	if (k->stop)
		loop_stop(k->loop);
}

static struct loop *
new_loop(void)
{
	struct err e = ERR_INIT;
	struct loop *l = loop_new(&e);

	cr_assert(l != NULL, "%s", e.msg);
	return l;
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static bool
has_ticked(void *arg)
{
	return ((struct tick *)arg)->count > 0;
}

Test(io_loop, ending_by_itself_is_an_error)
{
	struct loop *l = new_loop();
	struct tick k = { .loop = l };

	cr_expect_eq(loop_run(l), -1, "nothing to wait for");
	k.t = timer_new(l, on_tick, &k);
	timer_set(k.t, 0);
	cr_expect_eq(loop_run(l), -1);
	cr_expect_eq(k.count, 1);
	k.stop = true;
	timer_set(k.t, 0);
	cr_expect_eq(loop_run(l), 0);
	timer_free(k.t);
	loop_free(l);
	loop_free(NULL);
}

Test(io_loop, a_stop_before_the_run_is_not_lost)
{
	struct loop *l = new_loop();
	struct tick k = { .loop = l };

	k.t = timer_new(l, on_tick, &k);
	timer_set(k.t, 0);
	loop_stop(l);
	cr_expect_eq(loop_run(l), 0);
	cr_expect_eq(k.count, 0);
	cr_expect_eq(loop_run(l), -1, "and holds for one run only");
	cr_expect_eq(k.count, 1);
	timer_free(k.t);
	loop_free(l);
}

Test(io_loop, run_until_ends_by_the_condition_the_time_or_a_stop)
{
	struct loop *l = new_loop();
	struct tick k = { .loop = l };
	int64_t before = clock_mono_ms();

	k.t = timer_new(l, on_tick, &k);
	cr_expect(!loop_run_until(l, never, NULL, 20));
	cr_expect_geq(clock_mono_ms() - before, 20);
	timer_set(k.t, 1);
	cr_expect(loop_run_until(l, has_ticked, &k, 60000));
	cr_expect(loop_run_until(l, has_ticked, &k, 60000), "true already");
	cr_expect_eq(k.count, 1);
	k.stop = true;
	timer_set(k.t, 1);
	cr_expect(!loop_run_until(l, never, NULL, 60000));
	cr_expect_lt(clock_mono_ms() - before, 30000);
	timer_free(k.t);
	loop_free(l);
}

Test(io_loop, ignores_the_signals_that_writing_raises)
{
	struct sigaction sa;
	struct loop *l;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	l = new_loop();
	cr_expect(sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	cr_expect(sigaction(SIGXFSZ, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	loop_free(l);
}

Test(io_loop, leaves_no_descriptor_to_a_child)
{
	struct fixture f;
	struct record c;
	struct signal_watch *w;
	bool before[256] = { false };
	int fd, made = 0;

	for (fd = 0; fd < 256; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	fixture_up(&f, ENDPOINT_UNIX, 100);
	fixture_pair(&f, &c, 100);
	w = signal_watch_new(f.loop, SIGUSR1, (void (*)(int, void *))abort, NULL);
	for (fd = 0; fd < 256; fd++) {
		if (before[fd] || fcntl(fd, F_GETFD) < 0)
			continue;
		made++;
		cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC, "descriptor %d", fd);
	}
	cr_expect_geq(made, 4, "loop, listener, two ends");
	signal_watch_free(w);
	record_free(&c);
	fixture_down(&f);
}

Test(io_timer, fires_once_and_never_inside_the_call_or_early)
{
	static const int64_t waits[] = { -5, 0, 1, 7, 30 };
	struct loop *l = new_loop();
	size_t i;

	for (i = 0; i < sizeof waits / sizeof *waits; i++) {
		struct tick k = { .loop = l };
		int64_t start = clock_mono_ms();

		k.t = timer_new(l, on_tick, &k);
		cr_expect(!timer_is_set(k.t));
		k.inside++;
		timer_set(k.t, waits[i]);
		k.inside--;
		cr_expect(timer_is_set(k.t));
		cr_expect_eq(k.count, 0);
		cr_expect_eq(loop_run(l), -1, "it is not periodic, so the loop ends");
		cr_expect_eq(k.count, 1);
		cr_expect_geq(k.at - start, waits[i]);
		timer_free(k.t);
	}
	loop_free(l);
}

Test(io_timer, can_be_moved_cancelled_set_again_and_freed_in_its_callback)
{
	struct loop *l = new_loop();
	struct tick moved = { .loop = l }, cancelled = { .loop = l }, again = { .loop = l, .again = 4 },
	            freed = { .loop = l, .free_it = true };

	moved.t = timer_new(l, on_tick, &moved);
	cancelled.t = timer_new(l, on_tick, &cancelled);
	again.t = timer_new(l, on_tick, &again);
	freed.t = timer_new(l, on_tick, &freed);
	timer_set(moved.t, INT64_MAX);
	cr_expect(timer_is_set(moved.t));
	timer_set(moved.t, 1);
	timer_set(cancelled.t, 0);
	timer_cancel(cancelled.t);
	timer_cancel(cancelled.t);
	timer_set(again.t, 0);
	timer_set(freed.t, 0);
	cr_expect_eq(loop_run(l), -1);
	cr_expect_eq(moved.count, 1);
	cr_expect_eq(cancelled.count, 0);
	cr_expect_eq(again.count, 5);
	cr_expect(freed.count == 1 && freed.t == NULL);
	timer_free(moved.t);
	timer_free(cancelled.t);
	timer_free(again.t);
	timer_free(NULL);
	loop_free(l);
}

static struct tick *late_one, *late_two;

static void
cancel_the_other(void *arg)
{
	struct tick *me = arg, *other = me == late_one ? late_two : late_one;

	me->count++;
	timer_set(other->t, 50);
	timer_cancel(me->t);
}

/* Both are due in the same turn; the first to run moves the other, which then must not come for its old time. */
Test(io_timer, a_move_takes_back_what_is_due)
{
	struct loop *l = new_loop();
	struct tick a = { .loop = l }, b = { .loop = l };
	int64_t start = clock_mono_ms();

	late_one = &a;
	late_two = &b;
	a.t = timer_new(l, cancel_the_other, &a);
	b.t = timer_new(l, on_tick, &b);
	timer_set(a.t, 0);
	timer_set(b.t, 0);
	cr_expect_eq(loop_run(l), -1);
	cr_expect_eq(a.count, 1);
	cr_expect_geq(b.at - start, 50);
	cr_expect_eq(b.count, 1);
	timer_free(a.t);
	timer_free(b.t);
	loop_free(l);
}

struct sig {
	struct signal_watch *w;
	int count, last;
	bool free_it;
};

static void
on_sig(int signo, void *arg)
{
	struct sig *s = arg;

	s->count++;
	s->last = signo;
	if (s->free_it) {
		signal_watch_free(s->w);
		s->w = NULL;
	}
}

static bool
is_signalled(void *arg)
{
	return ((struct sig *)arg)->count > 0;
}

Test(io_signal, comes_from_the_loop)
{
	struct loop *l = new_loop();
	struct sig term = { .count = 0 }, hup = { .count = 0 };

	term.w = signal_watch_new(l, SIGTERM, on_sig, &term);
	hup.w = signal_watch_new(l, SIGHUP, on_sig, &hup);
	raise(SIGTERM);
	cr_expect_eq(term.count, 0, "not inside the handler");
	cr_expect(loop_run_until(l, is_signalled, &term, WAIT_MS));
	cr_expect(term.count == 1 && term.last == SIGTERM && hup.count == 0);
	raise(SIGTERM);
	term.count = 0;
	cr_expect(loop_run_until(l, is_signalled, &term, WAIT_MS), "the second one too");
	raise(SIGHUP);
	cr_expect(loop_run_until(l, is_signalled, &hup, WAIT_MS));
	cr_expect_eq(hup.last, SIGHUP);
	signal_watch_free(term.w);
	signal_watch_free(hup.w);
	signal_watch_free(NULL);
	loop_free(l);
}

Test(io_signal, a_watch_can_be_freed_in_its_callback)
{
	struct loop *l = new_loop();
	struct sig s = { .free_it = true };
	struct sigaction sa;

	signal(SIGUSR1, SIG_IGN);
	s.w = signal_watch_new(l, SIGUSR1, on_sig, &s);
	raise(SIGUSR1);
	raise(SIGUSR1);
	cr_expect(loop_run_until(l, is_signalled, &s, WAIT_MS));
	cr_expect_eq(loop_run(l), -1, "nothing is left");
	cr_expect_eq(s.count, 1);
	cr_expect(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN, "the former action is back");
	loop_free(l);
}

/* A watch keeps the loop alive. */
Test(io_signal, a_watch_keeps_the_loop_alive)
{
	struct loop *l = new_loop();
	struct sig s = { .count = 0 };

	s.w = signal_watch_new(l, SIGUSR1, on_sig, &s);
	cr_expect(!loop_run_until(l, is_signalled, &s, 5));
	signal_watch_free(s.w);
	loop_free(l);
}
