if TESTS_ENABLED
check_PROGRAMS += tests/unit/lib/unit-lib
UNIT_TESTS += tests/unit/lib/unit-lib
tests_unit_lib_unit_lib_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_lib_unit_lib_SOURCES = \
	%D%/cases.h \
	%D%/reader.c %D%/reader.h \
	%D%/test_conformance.c \
	%D%/test_documents.c \
	%D%/test_feed.c \
	%D%/test_flips.c \
	%D%/test_kept.c \
	%D%/test_memory.c
tests_unit_lib_unit_lib_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_lib_unit_lib_LDADD = libonionmirror.la libtestsupport.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)

# The library a second time, with memory that runs out when told.
check_PROGRAMS += tests/unit/lib/unit-lib-oom
UNIT_TESTS += tests/unit/lib/unit-lib-oom
tests_unit_lib_unit_lib_oom_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_lib_unit_lib_oom_SOURCES = %D%/test_oom.c
tests_unit_lib_unit_lib_oom_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_lib_unit_lib_oom_LDADD = liboom.la libtestsupport.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
check_LTLIBRARIES += liboom.la
liboom_la_CPPFLAGS = $(AM_CPPFLAGS) -include $(top_srcdir)/%D%/oom.h
liboom_la_SOURCES = %D%/oom.h \
	src/lib/documents.c src/lib/evidence.c src/lib/feed.c src/lib/leaves.c src/lib/query.c src/lib/site.c src/lib/store.c \
	src/proto/canon.c src/proto/chain.c src/proto/doc_bundle.c src/proto/doc_head.c src/proto/doc_json.c \
	src/proto/doc_leaf.c src/proto/doc_members.c
endif
