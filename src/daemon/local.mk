noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	%D%/adding.c \
	%D%/alarms.c \
	%D%/apply.c \
	%D%/calls.c \
	%D%/control.c %D%/control.h \
	%D%/counts.c \
	%D%/daemon.c %D%/daemon.h \
	%D%/httpd.c %D%/httpd.h \
	%D%/history.c \
	%D%/import.c \
	%D%/listservice.c \
	%D%/locked.c \
	%D%/master.c \
	%D%/methods.c \
	%D%/metrics.c %D%/metrics.h \
	%D%/metrics_impl.h \
	%D%/metrics_serve.c \
	%D%/options.c \
	%D%/probing.c \
	%D%/publishing.c \
	%D%/records.c %D%/records.h \
	%D%/restore.c \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/service.c \
	%D%/versions.c \
	%D%/wiring.c

sbin_PROGRAMS += onionmirrord
onionmirrord_SOURCES = %D%/main.c
onionmirrord_CFLAGS = $(AM_CFLAGS) $(OM_BIN_CFLAGS)
onionmirrord_LDFLAGS = $(AM_LDFLAGS) $(OM_BIN_LDFLAGS)
onionmirrord_LDADD = libdaemon.la libpublish.la libstore.la libtor.la libmirror.la libconf.la libproto.la libio.la libbase.la \
	$(EVENT_LIBS) $(SECCOMP_LIBS) $(QRENCODE_LIBS) $(CONFUSE_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS)
dist_man_MANS += %D%/onionmirrord.8 %D%/onionmirror-control.7 %D%/onionmirror-metrics.7
libdaemon_la_CPPFLAGS = $(AM_CPPFLAGS) -DDAEMON_DEFAULT_CONF='"$(sysconfdir)/onionmirror/onionmirror.conf"'
