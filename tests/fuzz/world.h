/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include "fuzz.h"

#include "sim/sim.h"

/*
 * The simulator's time, chance and streams, without its disk, tors and network (--wrap would take libFuzzer's own files
 * away): what is fuzzed connects and listens as usual, nothing is real, and an input always does the same.
 */
void world_begin(void);
/* After all that was made in it is freed. */
void world_end(void);
/* Runs what is due in the next `ms` of virtual time. */
void world_run(int64_t ms);

/*
 * An input as a script: steps parted by the byte 0xff; the first byte of a step says what, the rest is its text.
 * Gives the next one; false at the end. Text is not NUL-ended.
 */
struct script {
	const char *p;
	size_t n;
};
bool script_next(struct script *s, char *what, const char **text, size_t *n);
/* How long 'T' waits: its first character is one of "01234567", for 0, 1, 20, 500, 4000, 11000, 70000 and 700000 ms. */
void script_wait(const char *text, size_t n);

#endif
