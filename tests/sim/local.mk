# SPDX-License-Identifier: BSD-3-Clause
# The engine alone in virtual time: `curve` is a quick look at the defaults, `curve 10 1000` makes the table of contrib/doc/health.md.
check_PROGRAMS += tests/sim/curve
tests_sim_curve_SOURCES = %D%/curve.c
tests_sim_curve_LDADD = libmirror.la libproto.la libbase.la $(OM_LIBS) -lm

# The simulator: the whole daemon over another src/io, disk and clock. contrib/HACKING.md says how to use it.
check_PROGRAMS += tests/sim/sim
# What the daemon stands on, and the tors, network and backends that it talks to: also for programs that play only a part.
check_LTLIBRARIES += libsimworld.la
libsimworld_la_SOURCES = \
	%D%/ctl.c %D%/ctl.h \
	%D%/ctl_onion.c \
	%D%/ctl_policy.c \
	%D%/disk.c %D%/disk_impl.h \
	%D%/disk_loss.c \
	%D%/disk_world.c \
	%D%/node.c \
	%D%/impl.h %D%/io_impl.h \
	%D%/link.c %D%/link.h \
	%D%/loop.c \
	%D%/posix.c \
	%D%/random.c \
	%D%/sim.h \
	%D%/simback.c %D%/simback.h \
	%D%/simnet.c %D%/simnet.h \
	%D%/simtor.c %D%/simtor.h \
	%D%/simtor_answer.c \
	%D%/simtor_auth.c \
	%D%/simtor_client.c \
	%D%/simtor_impl.h \
	%D%/simtor_info.c \
	%D%/simtor_link.c \
	%D%/simtor_service.c \
	%D%/simtor_socks.c \
	%D%/stream.c \
	%D%/trace.c \
	src/io/inbuf.c src/io/outq.c
libsimworld_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
# Shared libraries name these calls too, and the linker wants the symbol to be visible then.
SIM_CFLAGS = $(AM_CFLAGS) $(OM_BIN_CFLAGS) -fvisibility=default
libsimworld_la_CFLAGS = $(SIM_CFLAGS)
tests_sim_sim_SOURCES = \
	%D%/check.c %D%/check.h \
	%D%/check_impl.h \
	%D%/check_key.c \
	%D%/check_list.c \
	%D%/check_live.c \
	%D%/check_other.c \
	%D%/check_pace.c \
	%D%/check_state.c \
	%D%/check_table.c \
	%D%/check_wire.c \
	%D%/crash.c %D%/crash.h \
	%D%/main.c \
	%D%/memo.c \
	%D%/model.c %D%/model.h \
	%D%/nemesis.c %D%/nemesis.h \
	%D%/operator.c \
	%D%/other.c %D%/other.h \
	%D%/other_peer.c \
	%D%/plan.c \
	%D%/process.c \
	%D%/runner.c %D%/runner.h \
	%D%/scenario.h \
	%D%/scenario_do.c \
	%D%/scenario_expect.c \
	%D%/scenario_parse.c \
	%D%/scenario_plant.c \
	%D%/scenario_run.c \
	%D%/vfs.c
tests_sim_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_sim_sim_CFLAGS = $(SIM_CFLAGS)
# The system calls on files go to the simulated disk (posix.c).
SIM_WRAP = \
	-Wl,--wrap=open \
	-Wl,--wrap=openat \
	-Wl,--wrap=__open_2 \
	-Wl,--wrap=__openat_2 \
	-Wl,--wrap=close \
	-Wl,--wrap=read \
	-Wl,--wrap=__read_chk \
	-Wl,--wrap=write \
	-Wl,--wrap=fsync \
	-Wl,--wrap=fstat \
	-Wl,--wrap=stat \
	-Wl,--wrap=lstat \
	-Wl,--wrap=access \
	-Wl,--wrap=realpath \
	-Wl,--wrap=__realpath_chk \
	-Wl,--wrap=readlinkat \
	-Wl,--wrap=__readlinkat_chk \
	-Wl,--wrap=rename \
	-Wl,--wrap=renameat \
	-Wl,--wrap=link \
	-Wl,--wrap=unlink \
	-Wl,--wrap=unlinkat \
	-Wl,--wrap=mkdir \
	-Wl,--wrap=mkdirat \
	-Wl,--wrap=symlinkat \
	-Wl,--wrap=chmod \
	-Wl,--wrap=fchmod \
	-Wl,--wrap=fcntl \
	-Wl,--wrap=fdopendir \
	-Wl,--wrap=opendir \
	-Wl,--wrap=readdir \
	-Wl,--wrap=closedir \
	-Wl,--wrap=scandir
# Curve arithmetic is remembered, a passphrase's key is cheap (memo.c).
SIM_MEMO = -Wl,--wrap=crypto_pwhash -Wl,--wrap=crypto_sign_verify_detached -Wl,--wrap=crypto_core_ed25519_is_valid_point
# What is made durable goes by its checker (check_state.c).
STATE_WRAP = \
	-Wl,--wrap=store_open \
	-Wl,--wrap=store_begin \
	-Wl,--wrap=store_commit \
	-Wl,--wrap=store_rollback \
	-Wl,--wrap=store_put \
	-Wl,--wrap=store_delete
tests_sim_sim_LDFLAGS = $(AM_LDFLAGS) $(OM_BIN_LDFLAGS) $(SIM_WRAP) $(SIM_MEMO) $(STATE_WRAP)
# No libio: the io headers are implemented here.
tests_sim_sim_LDADD = libsimworld.la libdaemon.la libcli.la libonionmirror.la libpublish.la libstore.la libtor.la libmirror.la libconf.la libproto.la \
	libbase.la $(SODIUM_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(CONFUSE_LIBS) $(QRENCODE_LIBS) -lm

# The simulated control port for tests/system/transcript.py, which compares it with a real tor's.
check_PROGRAMS += tests/sim/sim-transcript
tests_sim_sim_transcript_SOURCES = %D%/bare.c %D%/bare.h %D%/transcript.c
tests_sim_sim_transcript_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_sim_sim_transcript_CFLAGS = $(SIM_CFLAGS)
tests_sim_sim_transcript_LDFLAGS = $(AM_LDFLAGS) $(OM_BIN_LDFLAGS) $(SIM_WRAP)
tests_sim_sim_transcript_LDADD = libsimworld.la libtor.la libproto.la libbase.la $(SODIUM_LIBS) $(CRYPTO_LIBS) -lm
EXTRA_DIST += tests/sim/transcript.txt

# Kept seeds, and scenarios: each one a case inside its test.
sim_checks = tests/sim/seeds.sh tests/sim/scenarios.sh
SIM_TESTS = tests/sim/curve $(sim_checks)
dist_check_SCRIPTS += $(sim_checks)
EXTRA_DIST += tests/sim/seeds tests/sim/scenarios tests/sim/crashes tests/sim/crashes.sh tests/sim/mutants.sh
