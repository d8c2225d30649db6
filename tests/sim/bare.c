/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core wants of a daemon and its checkers, for programs that have neither: nobody dies, nobody looks. */
#include "config.h"
#include "sim/bare.h"

#include "sim/impl.h"
#include "sim/simnet.h"

void
bare_world_begin(void)
{
	loop_begin();
	clock_begin();
	trace_begin(false);
	random_begin(1);
	disk_begin();
	stream_begin();
	net_start();
}

void
bare_world_end(void)
{
	net_stop();
	stream_end();
	disk_end();
	loop_end();
}

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

void
check_on_visible(void)
{
}

void
check_on_probe(const char *address, bool good)
{
	(void)address;
	(void)good;
}

void
check_on_fetch(const char *address)
{
	(void)address;
}

__attribute__((weak)) void
check_on_command(unsigned tor, const char *line, size_t n)
{
	(void)tor;
	(void)line;
	(void)n;
}
