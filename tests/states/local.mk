# SPDX-License-Identifier: BSD-3-Clause
check_PROGRAMS += tests/states/print-states
tests_states_print_states_SOURCES = %D%/print-states.c
tests_states_print_states_LDADD = libmirror.la libproto.la libbase.la $(OM_LIBS)
check_PROGRAMS += tests/states/print-methods
tests_states_print_methods_SOURCES = %D%/print-methods.c
tests_states_print_methods_LDADD = libdaemon.la libpublish.la libstore.la libtor.la libmirror.la libconf.la libproto.la libio.la libbase.la $(OM_LIBS)
