noinst_LTLIBRARIES += libtor.la
libtor_la_LIBADD = $(SSL_LIBS)
libtor_la_SOURCES = \
	%D%/auth.c %D%/auth.h \
	%D%/backoff.c %D%/backoff.h \
	%D%/commands.c \
	%D%/exchange.c \
	%D%/fitness.c %D%/fitness.h \
	%D%/handshake.c \
	%D%/judge.c %D%/judge.h \
	%D%/prober.c %D%/prober.h %D%/prober_impl.h \
	%D%/queue.c %D%/queue.h \
	%D%/session.c %D%/session.h %D%/session_impl.h \
	%D%/tls.c %D%/tls.h \
	%D%/trace.c %D%/trace.h
