# SPDX-License-Identifier: BSD-3-Clause
check_PROGRAMS += tests/docs/print-tables
tests_docs_print_tables_SOURCES = %D%/print-tables.c
tests_docs_print_tables_LDADD = libcli.la libonionmirror.la libconf.la libproto.la libio.la libbase.la $(OM_LIBS)
tests_docs_print_tables_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=cli_take_options -Wl,--wrap=cli_take
