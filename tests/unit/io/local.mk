if TESTS_ENABLED
check_PROGRAMS += tests/unit/io/unit-io
UNIT_TESTS += tests/unit/io/unit-io
tests_unit_io_unit_io_SOURCES = \
	%D%/fixture.c %D%/fixture.h \
	%D%/test_listener.c \
	%D%/test_loop.c \
	%D%/test_notify.c \
	%D%/test_passed.c \
	%D%/test_queues.c \
	%D%/test_stream.c \
	%D%/test_stream_end.c \
	%D%/test_syscalls.c
tests_unit_io_unit_io_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_io_unit_io_LDADD = libio.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
