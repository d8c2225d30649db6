noinst_LTLIBRARIES += libio.la
libio_la_SOURCES = \
	%D%/address.c \
	%D%/inbuf.c %D%/inbuf.h \
	%D%/internal.h \
	%D%/journal.c %D%/journal.h \
	%D%/listener.c \
	%D%/loop.c %D%/loop.h \
	%D%/notify.c %D%/notify.h \
	%D%/outq.c %D%/outq.h \
	%D%/passed.c %D%/passed.h \
	%D%/signal.c \
	%D%/stream.c %D%/stream.h \
	%D%/syscalls.c %D%/syscalls.h \
	%D%/timer.c
