check_LTLIBRARIES += libtestsupport.la
libtestsupport_la_SOURCES = \
	%D%/fakesite.c %D%/fakesite.h \
	%D%/faketor.c %D%/faketor.h
libtestsupport_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
