noinst_LTLIBRARIES += libpublish.la
libpublish_la_SOURCES = \
	%D%/files.c \
	%D%/html.c \
	%D%/leaf.c \
	%D%/make.c \
	%D%/others.c \
	%D%/peers.c \
	%D%/publish.h \
	%D%/publish_impl.h \
	%D%/site.c \
	%D%/tombstones.c \
	%D%/write.c
