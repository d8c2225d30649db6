lib_LTLIBRARIES += libonionmirror.la
onionmirrorincludedir = $(includedir)/onionmirror
onionmirrorinclude_HEADERS = include/onionmirror/onionmirror.h
libonionmirror_la_SOURCES = \
	%D%/documents.c \
	%D%/evidence.c \
	%D%/feed.c %D%/feed.h \
	%D%/leaves.c \
	%D%/query.c \
	%D%/site.c %D%/site.h \
	%D%/store.c
# current:revision:age. Code changed: revision + 1. Something added: current + 1, age + 1, revision 0.
# Something removed or changed in meaning: current + 1, age 0, revision 0.
# What nothing exported needs of base and proto (files, clock, log) stays outside: tests/check-exports.sh looks.
libonionmirror_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/%D%/onionmirror.map -Wl,--gc-sections
libonionmirror_la_LIBADD = libproto.la libbase.la $(SODIUM_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS)
EXTRA_libonionmirror_la_DEPENDENCIES = $(top_srcdir)/%D%/onionmirror.map
EXTRA_DIST += %D%/onionmirror.map
dist_man_MANS += %D%/libonionmirror.3
