# SPDX-License-Identifier: BSD-3-Clause
if TESTS_ENABLED
check_PROGRAMS += tests/unit/store/unit-store
UNIT_TESTS += tests/unit/store/unit-store
tests_unit_store_unit_store_SOURCES = \
	%D%/state.c %D%/state.h \
	%D%/test_crash.c \
	%D%/test_damage.c \
	%D%/test_master_key.c \
	%D%/test_store.c
tests_unit_store_unit_store_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_store_unit_store_LDADD = libstore.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
