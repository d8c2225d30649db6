check_LTLIBRARIES += libtestsupport.la
libtestsupport_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
libtestsupport_la_SOURCES = \
	%D%/listkit.c %D%/listkit.h
