if TESTS_ENABLED
check_PROGRAMS += tests/unit/base/unit-base
UNIT_TESTS += tests/unit/base/unit-base
tests_unit_base_unit_base_SOURCES = \
	%D%/test_buf.c \
	%D%/test_clock.c \
	%D%/test_confine.c \
	%D%/test_enc.c \
	%D%/test_endpoint.c \
	%D%/test_err.c \
	%D%/test_file.c \
	%D%/test_log.c \
	%D%/test_mem.c \
	%D%/test_rng.c \
	%D%/test_utc.c
tests_unit_base_unit_base_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_base_unit_base_LDADD = libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
