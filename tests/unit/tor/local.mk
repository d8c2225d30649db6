if TESTS_ENABLED
check_PROGRAMS += tests/unit/tor/unit-tor
UNIT_TESTS += tests/unit/tor/unit-tor
tests_unit_tor_unit_tor_SOURCES = \
	%D%/probe_rig.c %D%/probe_rig.h \
	%D%/rig.c %D%/rig.h \
	%D%/test_auth.c \
	%D%/test_backoff.c \
	%D%/test_fitness.c \
	%D%/test_handshake.c \
	%D%/test_judge.c \
	%D%/test_prober.c \
	%D%/test_prober_content.c \
	%D%/test_queue.c \
	%D%/test_session.c \
	%D%/test_tls.c \
	%D%/test_trace.c
tests_unit_tor_unit_tor_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_tor_unit_tor_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_tor_unit_tor_LDADD = libtestsupport.la libtor.la libio.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
