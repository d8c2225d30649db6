/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulator's loop and streams for a fuzz target, and the steps of a script. */
#include "config.h"
#include "world.h"

#include "sim/impl.h"

#include <sodium.h>
#include <string.h>

#define STEP_EVENTS 200000 /* no step makes so many: a loop that turns for ever */

void
world_begin(void)
{
	FUZZ_CHECK(sodium_init() >= 0);
	loop_begin();
	clock_begin();
	trace_begin(false);
	random_begin(1);
	stream_begin();
}

void
world_end(void)
{
	world_run(0);
	stream_end();
	loop_end();
	FUZZ_CHECK(trace_violation() == NULL);
}

void
world_run(int64_t ms)
{
	uint64_t most = loop_events() + STEP_EVENTS;
	int64_t until = sim_now() + ms;

	while (loop_step(until))
		FUZZ_CHECK(loop_events() < most);
}

bool
script_next(struct script *s, char *what, const char **text, size_t *n)
{
	const char *end;

	if (s->n == 0)
		return false;
	end = memchr(s->p, 0xff, s->n);
	*n = end != NULL ? (size_t)(end - s->p) : s->n;
	*what = *n > 0 ? *s->p : '\0';
	*text = s->p + (*n > 0);
	s->p += *n + (end != NULL);
	s->n -= *n + (end != NULL);
	*n -= *n > 0;
	return true;
}

void
script_wait(const char *text, size_t n)
{
	static const int64_t waits[] = { 0, 1, 20, 500, 4000, 11000, 70000, 700000 };

	world_run(waits[n > 0 ? (unsigned char)text[0] % 8 : 0]);
}

/* --- what the simulator's core asks of a process and of checkers: nobody dies, nobody looks --- */

bool
process_effect(enum effect kind, const char *what)
{
	(void)kind;
	(void)what;
	return true;
}

bool
process_is_dead(void)
{
	return false;
}

void
check_on_connect(const char *endpoint)
{
	(void)endpoint;
}
