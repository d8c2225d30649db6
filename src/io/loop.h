/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The event loop, its timers and signals. These headers name no libevent type,
 * so a simulation can implement them a second time. One thread. Create the
 * loop after the last fork. Teardown, in this order: listeners, streams,
 * timers, signals, loop.
 */
struct loop;

/* NULL on failure. Also ignores SIGPIPE and SIGXFSZ for the process. */
struct loop *loop_new(struct err *e);
/*
 * Runs until loop_stop(). -1 if it ended by itself because nothing was left
 * to wait for, which is a bug of the caller (a signal watch keeps it alive).
 */
int loop_run(struct loop *l);
/* Leaves the loop as soon as the callback that runs now returns; before loop_run(): that returns at once. */
void loop_stop(struct loop *l);
/*
 * Runs until done(arg) is true, loop_stop() or `ms` have passed; returns the
 * last done(arg), which is asked first and then after each turn. For tests
 * and the command line.
 */
bool loop_run_until(struct loop *l, bool (*done)(void *arg), void *arg, int64_t ms);
/*
 * Cuts off what still lived after its owner let go (stream_free_after_drain),
 * then frees the loop. All streams, listeners, timers and signal watches must
 * have been freed before. NULL is fine.
 */
void loop_free(struct loop *l);

/*
 * A one-shot timer on the monotonic clock, which goes on during suspend (there
 * a timer may come up to a minute late). It never comes early by
 * clock_mono_ms(). To repeat, set it again in its callback: so rounds can't
 * overlap. Freeing it in its own callback is fine.
 */
struct timer;
/* Never NULL; not set yet. */
struct timer *timer_new(struct loop *l, void (*cb)(void *arg), void *arg);
/* Fires once in `ms` (0 or less: at the next turn, never inside this call); a pending one is moved. */
void timer_set(struct timer *t, int64_t ms);
void timer_cancel(struct timer *t);
/* False from the moment its callback is called. */
bool timer_is_set(const struct timer *t);
/* NULL is fine. */
void timer_free(struct timer *t);

/*
 * Calls cb from the loop when the signal arrives; several that arrive together
 * may be one call. One watch per signal number, one loop with watches at a time.
 * Freeing a watch (NULL is fine) may be done in its own callback; no call comes
 * any more, and at the next turn the signal gets its former action back.
 */
struct signal_watch;
struct signal_watch *signal_watch_new(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg);
void signal_watch_free(struct signal_watch *w);

#endif
