if TESTS_ENABLED
check_PROGRAMS += tests/unit/lib/unit-lib
UNIT_TESTS += tests/unit/lib/unit-lib
tests_unit_lib_unit_lib_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_lib_unit_lib_SOURCES = \
	%D%/test_feed.c \
	%D%/test_memory.c
tests_unit_lib_unit_lib_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_lib_unit_lib_LDADD = libonionmirror.la libtestsupport.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
