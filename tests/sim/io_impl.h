/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_IO_IMPL_H
#define TESTS_SIM_IO_IMPL_H

#include "io/loop.h"

#include <sys/queue.h>

/* What loop.c and stream.c share. */
struct stream;
struct loop {
	LIST_HEAD(, stream) drained; /* streams whose owner has let go, and that still send */
	bool stop;
};

void stream_free_drained(struct loop *l);

#endif
