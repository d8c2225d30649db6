noinst_LTLIBRARIES += libio.la
libio_la_SOURCES = \
	%D%/listener.c \
	%D%/loop.c %D%/loop.h \
	%D%/loop_impl.h \
	%D%/notify.c %D%/notify.h \
	%D%/signal.c \
	%D%/stream.c %D%/stream.h \
	%D%/timer.c
