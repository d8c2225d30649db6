# SPDX-License-Identifier: BSD-3-Clause
if TESTS_ENABLED
check_PROGRAMS += tests/unit/publish/unit-publish
UNIT_TESTS += tests/unit/publish/unit-publish
tests_unit_publish_unit_publish_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_publish_unit_publish_SOURCES = \
	%D%/place.c %D%/place.h \
	%D%/test_checks.c \
	%D%/test_make.c \
	%D%/test_others.c \
	%D%/test_page.c \
	%D%/test_serve.c \
	%D%/test_site.c \
	%D%/test_write.c
tests_unit_publish_unit_publish_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_publish_unit_publish_LDADD = libpublish.la libonionmirror.la libtestsupport.la libproto.la libbase.la \
	$(OM_LIBS) $(CRITERION_LIBS)
endif
