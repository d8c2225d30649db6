# SPDX-License-Identifier: BSD-3-Clause
check_PROGRAMS += tests/states/print-states
tests_states_print_states_SOURCES = %D%/print-states.c
tests_states_print_states_LDADD = libmirror.la libproto.la libbase.la $(OM_LIBS)
