check_LTLIBRARIES += libtestsupport.la
libtestsupport_la_SOURCES = \
	%D%/fakesite.c %D%/fakesite.h \
	%D%/faketor.c %D%/faketor.h \
	%D%/listkit.c %D%/listkit.h
libtestsupport_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
