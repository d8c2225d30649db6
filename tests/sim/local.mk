# SPDX-License-Identifier: BSD-3-Clause
# The engine alone in virtual time: `curve` is a quick look at the defaults, `curve 10 1000` makes the table of contrib/doc/health.md.
check_PROGRAMS += tests/sim/curve
SIM_TESTS = tests/sim/curve
tests_sim_curve_SOURCES = %D%/curve.c
tests_sim_curve_LDADD = libmirror.la libproto.la libbase.la $(OM_LIBS) -lm
