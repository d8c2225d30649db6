/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "sim/sim.h"

/*
 * Invariants: what must hold in every world. A check calls sim_violation()
 * with its name. Besides these moments there are the hooks for commands
 * (check_on_command), log lines and connections; they are in check_wire.c.
 */
enum check_when {
	CHECK_BEGIN,   /* a world begins: forget the last one */
	CHECK_EVENT,   /* after every event: cheap ones only */
	CHECK_MINUTE,  /* once a virtual minute */
	CHECK_VISIBLE, /* a channel's `current` has just changed over */
	CHECK_START,   /* the daemon has opened its state */
	CHECK_STOP,    /* it ends, in whatever way; sim_daemon() may be NULL */
	CHECK_HEAL,    /* all faults have ended; the clock of the liveness goals begins */
	CHECK_LAST,    /* the end of the world: what had to be reached */
	CHECK_FREE,    /* give memory back */
};

struct check {
	const char *name; /* "I3" */
	const char *text; /* what must hold, for the list of --checks */
	enum check_when when;
	void (*run)(void);
};
extern const struct check checks[]; /* ends with a NULL name; one row for each moment of an invariant */

#endif
