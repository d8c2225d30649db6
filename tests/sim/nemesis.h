/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_NEMESIS_H
#define TESTS_SIM_NEMESIS_H

/* Classes of faults; each is on or off in a seed, with a rate of its own. */
enum nemesis_fault { FAULT_TOR_KILL, FAULT_TOR_STOP, FAULT_TOR_NETWORK, FAULT_TOR_FILTER, FAULT_TOR_LOSE, FAULT_BACKEND, FAULT_FLAP,
	FAULT_UPLOADS, FAULT_SPELLS, FAULT_TAKEDOWN, FAULT_MANGLE, FAULT_FLOOD, FAULT_HALF_OPEN, FAULT_CLOCK, FAULT_KILL, FAULT_KILL_AT,
	FAULT_POWER, FAULT_DISK_FULL, FAULT_DISK_READ_ONLY, FAULT_DISK_EIO, FAULT_SHORT_WRITE, FAULT_N };

const char *nemesis_fault_name(enum nemesis_fault f);
int nemesis_fault_find(const char *name); /* -1: no such class */
/* For scenarios and hunting: only these bits are ever on (default all). */
void nemesis_only(unsigned faults);

#endif
