check_LTLIBRARIES += libtestsupport.la
libtestsupport_la_SOURCES = \
	%D%/fakeclock.c %D%/fakeclock.h \
	%D%/fakesite.c %D%/fakesite.h \
	%D%/faketls.c %D%/faketls.h \
	%D%/faketor.c %D%/faketor.h \
	%D%/listkit.c %D%/listkit.h \
	%D%/tree.c %D%/tree.h
libtestsupport_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
libtestsupport_la_LIBADD = $(SSL_LIBS)

# Writes named mirror lists into a folder, for tests in other languages.
check_PROGRAMS += tests/support/listmake
tests_support_listmake_SOURCES = %D%/listmake.c
tests_support_listmake_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_support_listmake_LDADD = libtestsupport.la libproto.la libbase.la $(OM_LIBS)

# Peak memory of a command.
check_PROGRAMS += tests/support/measure
tests_support_measure_SOURCES = %D%/measure.c
