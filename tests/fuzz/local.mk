# SPDX-License-Identifier: BSD-3-Clause
# Fuzz targets. To add one: fuzz_NAME.c with LLVMFuzzerTestOneInput, seeds in
# corpus/NAME/, its name in fuzz_programs, two lines at the end. One file a line, sorted.
#
# Usually each target is linked with replay.c and `make check` runs it over its
# seeds. With --enable-fuzzing (CC=clang) it is linked with libFuzzer instead:
#   tests/fuzz/fuzz_reply -dict=.../dict/reply.dict -max_total_time=60 NEW-DIR .../corpus/reply
fuzz_programs = \
	tests/fuzz/fuzz_bundle \
	tests/fuzz/fuzz_canon \
	tests/fuzz/fuzz_command \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_doc \
	tests/fuzz/fuzz_event \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_http_server \
	tests/fuzz/fuzz_minisign \
	tests/fuzz/fuzz_onion \
	tests/fuzz/fuzz_passed \
	tests/fuzz/fuzz_probe \
	tests/fuzz/fuzz_record \
	tests/fuzz/fuzz_reply \
	tests/fuzz/fuzz_rpc \
	tests/fuzz/fuzz_session \
	tests/fuzz/fuzz_socks \
	tests/fuzz/fuzz_walk
check_PROGRAMS += $(fuzz_programs)
if FUZZING
fuzz_main =
else
fuzz_main = tests/fuzz/replay.c
FUZZ_TESTS += $(fuzz_programs)
endif
fuzz_libs = libproto.la libbase.la $(OM_LIBS) $(FUZZ_LDFLAGS)
# For those that connect or listen: the simulator's streams and clock.
fuzz_world = tests/fuzz/fuzz.h tests/fuzz/world.c tests/fuzz/world.h
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/dict

tests_fuzz_fuzz_bundle_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_bundle.c $(fuzz_main)
tests_fuzz_fuzz_bundle_LDADD = libonionmirror.la $(fuzz_libs)
tests_fuzz_fuzz_canon_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_canon.c $(fuzz_main)
tests_fuzz_fuzz_canon_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_command_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_command.c $(fuzz_main)
tests_fuzz_fuzz_command_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_conf.c $(fuzz_main)
tests_fuzz_fuzz_conf_LDADD = libconf.la $(fuzz_libs)
tests_fuzz_fuzz_doc_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_doc.c $(fuzz_main)
tests_fuzz_fuzz_doc_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_event.c $(fuzz_main)
tests_fuzz_fuzz_event_LDADD = libtor.la libio.la $(fuzz_libs)
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_http.c $(fuzz_main)
tests_fuzz_fuzz_http_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_http_server_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_http_server.c $(fuzz_main)
tests_fuzz_fuzz_http_server_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_minisign_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_minisign.c $(fuzz_main)
tests_fuzz_fuzz_minisign_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_onion_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_onion.c $(fuzz_main)
tests_fuzz_fuzz_onion_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_passed_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_passed.c $(fuzz_main)
tests_fuzz_fuzz_passed_LDADD = libio.la $(fuzz_libs)
tests_fuzz_fuzz_probe_SOURCES = $(fuzz_world) tests/fuzz/fuzz_probe.c $(fuzz_main)
tests_fuzz_fuzz_probe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_probe_LDADD = libtor.la libsimworld.la $(fuzz_libs)
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_record.c $(fuzz_main)
tests_fuzz_fuzz_record_LDADD = libdaemon.la libpublish.la libstore.la libmirror.la $(fuzz_libs)
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_reply.c $(fuzz_main)
tests_fuzz_fuzz_reply_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_rpc_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_rpc.c $(fuzz_main)
tests_fuzz_fuzz_rpc_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_session_SOURCES = $(fuzz_world) tests/fuzz/fuzz_session.c $(fuzz_main)
tests_fuzz_fuzz_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_session_LDADD = libtor.la libsimworld.la $(fuzz_libs)
tests_fuzz_fuzz_socks_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_socks.c $(fuzz_main)
tests_fuzz_fuzz_socks_LDADD = $(fuzz_libs)

# The walk over a bundle behind the signatures: fuzz_bundle with signatures and hashes that one of their bits decides.
check_LTLIBRARIES += libnosig.la
libnosig_la_CPPFLAGS = $(AM_CPPFLAGS) -include $(top_srcdir)/tests/fuzz/nosig.h
libnosig_la_SOURCES = tests/fuzz/nosig.h tests/fuzz/nosig.c \
	src/lib/documents.c src/lib/evidence.c src/lib/feed.c src/lib/leaves.c src/lib/query.c src/lib/site.c src/lib/store.c src/proto/chain.c
tests_fuzz_fuzz_walk_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_bundle.c $(fuzz_main)
tests_fuzz_fuzz_walk_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_walk_LDADD = libnosig.la $(fuzz_libs)
