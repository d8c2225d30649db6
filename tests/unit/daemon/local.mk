if TESTS_ENABLED
check_PROGRAMS += tests/unit/daemon/unit-daemon
UNIT_TESTS += tests/unit/daemon/unit-daemon
tests_unit_daemon_unit_daemon_SOURCES = \
	%D%/rig.c %D%/rig.h \
	%D%/test_control.c \
	%D%/test_daemon.c \
	%D%/test_holds.c \
	%D%/test_httpd.c \
	%D%/test_listservice.c \
	%D%/test_metrics.c \
	%D%/test_records.c \
	%D%/test_sandbox.c \
	%D%/test_site.c \
	%D%/test_versions.c
tests_unit_daemon_unit_daemon_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_daemon_unit_daemon_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_daemon_unit_daemon_LDADD = libtestsupport.la libdaemon.la libcli.la libonionmirror.la libpublish.la libstore.la \
	libtor.la libmirror.la libconf.la libproto.la libio.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
