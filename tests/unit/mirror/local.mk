# SPDX-License-Identifier: BSD-3-Clause
# One file a line, sorted.
if TESTS_ENABLED
check_PROGRAMS += tests/unit/mirror/unit-mirror
UNIT_TESTS += tests/unit/mirror/unit-mirror
tests_unit_mirror_unit_mirror_SOURCES = \
	%D%/test_control.c \
	%D%/test_health.c \
	%D%/test_leaving.c \
	%D%/test_listing.c \
	%D%/test_onion.c \
	%D%/test_overtaken.c \
	%D%/test_policy.c \
	%D%/test_random.c \
	%D%/test_reconcile.c \
	%D%/test_revoke.c \
	%D%/test_rotate.c \
	%D%/test_bulk.c \
	%D%/test_place.c \
	%D%/test_spare.c \
	%D%/test_start.c \
	%D%/test_takedown.c \
	%D%/test_weigh.c \
	%D%/test_uploads.c \
	%D%/world.c \
	%D%/world.h \
	%D%/world_answers.c \
	%D%/world_ask.c
tests_unit_mirror_unit_mirror_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_mirror_unit_mirror_LDADD = libmirror.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
