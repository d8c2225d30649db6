# SPDX-License-Identifier: BSD-3-Clause
if TESTS_ENABLED
check_PROGRAMS += tests/unit/cli/unit-cli
UNIT_TESTS += tests/unit/cli/unit-cli
tests_unit_cli_unit_cli_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_cli_unit_cli_SOURCES = \
	%D%/test_folder.c \
	%D%/test_keyfile.c \
	%D%/test_place.c \
	%D%/test_trust.c
tests_unit_cli_unit_cli_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
# Disks that fail: test_keyfile.c.
tests_unit_cli_unit_cli_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=link -Wl,--wrap=fsync
tests_unit_cli_unit_cli_LDADD = libtestsupport.la libcli.la libonionmirror.la libconf.la libproto.la libio.la libbase.la \
	$(OM_LIBS) $(CRITERION_LIBS)
endif
