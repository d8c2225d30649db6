noinst_LTLIBRARIES += libcli.la
libcli_la_SOURCES = \
	%D%/cli.h \
	%D%/client.c %D%/client.h \
	%D%/completion.c \
	%D%/doctor.c \
	%D%/follow.c %D%/follow.h \
	%D%/out.c %D%/out.h \
	%D%/reach.c %D%/reach.h \
	%D%/screen.c %D%/screen.h \
	%D%/watch.c \
	%D%/watch_draw.c %D%/watch.h \
	%D%/download.c %D%/download.h \
	%D%/fetch.c \
	%D%/folder.c %D%/folder.h \
	%D%/history.c \
	%D%/init.c \
	%D%/key.c \
	%D%/keyfile.c %D%/keyfile.h \
	%D%/member.c \
	%D%/location.c \
	%D%/operator.c \
	%D%/options.c \
	%D%/passphrase.c %D%/passphrase.h \
	%D%/pick.c \
	%D%/place.c %D%/place.h \
	%D%/report.c %D%/report.h \
	%D%/trust.c %D%/trust.h \
	%D%/root.c \
	%D%/site.c \
	%D%/unlock.c \
	%D%/verbs.c \
	%D%/verify.c

bin_PROGRAMS += onionmirror
onionmirror_SOURCES = %D%/main.c
onionmirror_CPPFLAGS = $(AM_CPPFLAGS) -DCLI_DEFAULT_CONF='"$(sysconfdir)/onionmirror/onionmirror.conf"'
onionmirror_CFLAGS = $(AM_CFLAGS) $(OM_BIN_CFLAGS)
onionmirror_LDFLAGS = $(AM_LDFLAGS) $(OM_BIN_LDFLAGS)
onionmirror_LDADD = libcli.la libonionmirror.la libconf.la libproto.la libio.la libbase.la \
	$(EVENT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS)
dist_man_MANS += %D%/onionmirror.1
dist_man_MANS += %D%/onionmirror-keys.7
