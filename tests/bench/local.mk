# SPDX-License-Identifier: BSD-3-Clause
# Measurements, never part of `make check`: `make bench` in a build without sanitizers. control.py is run by hand.
bench_programs = tests/bench/bench-list
EXTRA_PROGRAMS = $(bench_programs)
CLEANFILES += $(bench_programs)
tests_bench_bench_list_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_bench_list_SOURCES = %D%/bench.c %D%/bench.h %D%/bench_list.c
tests_bench_bench_list_LDADD = libpublish.la libonionmirror.la libtestsupport.la libproto.la libio.la libbase.la $(OM_LIBS)
dist_noinst_SCRIPTS += %D%/control.py

.PHONY: bench
bench: $(bench_programs)
	@for program in $(bench_programs); do $$program || exit 1; done
