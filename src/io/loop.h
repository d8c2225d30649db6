/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The event loop, its timers and signals. These headers name no libevent type,
 * so a simulation can implement them a second time. One thread.
 */
struct loop;

/* NULL on failure. Also ignores SIGPIPE and SIGXFSZ for the process. */
struct loop *loop_new(struct err *e);
/* Runs until loop_stop(). -1 if it ended by itself, which is a bug of the caller. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Runs until done(arg) is true or `ms` have passed; true if done. For tests and the command line. */
bool loop_run_until(struct loop *l, bool (*done)(void *arg), void *arg, int64_t ms);
/* Frees what was handed to the reaper, then the loop. All streams, listeners and timers must be freed before. */
void loop_free(struct loop *l);

/* A one-shot timer on the monotonic clock. Freeing it in its own callback is fine. */
struct timer;
struct timer *timer_new(struct loop *l, void (*cb)(void *arg), void *arg);
/* Fires once in `ms` (0: at the next turn, never inside this call); a pending one is moved. */
void timer_set(struct timer *t, int64_t ms);
void timer_cancel(struct timer *t);
bool timer_is_set(const struct timer *t);
void timer_free(struct timer *t);

/* Calls cb from the loop when the signal arrives. */
struct signal_watch;
struct signal_watch *signal_watch_new(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg);
void signal_watch_free(struct signal_watch *w);

#endif
