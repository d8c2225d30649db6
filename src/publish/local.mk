noinst_LTLIBRARIES += libpublish.la
libpublish_la_SOURCES = \
	%D%/files.c \
	%D%/html.c \
	%D%/judged.c \
	%D%/leaf.c \
	%D%/make.c \
	%D%/memory.c \
	%D%/others.c \
	%D%/peers.c \
	%D%/publish.h \
	%D%/publish_impl.h \
	%D%/qr.c \
	%D%/serve.c \
	%D%/share.c \
	%D%/site.c \
	%D%/tombstones.c \
	%D%/write.c
libpublish_la_CPPFLAGS = $(AM_CPPFLAGS) $(QRENCODE_CFLAGS)
