noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
	%D%/chain.c %D%/chain.h \
	%D%/doc.c %D%/doc.h \
	%D%/doc_bundle.c \
	%D%/doc_head.c \
	%D%/doc_json.c %D%/doc_json.h \
	%D%/doc_leaf.c \
	%D%/doc_members.c \
	%D%/doc_root.c \
	%D%/edkey.c %D%/edkey.h \
	%D%/minisign.c %D%/minisign.h \
	%D%/minisign_key.c \
	%D%/onion.c %D%/onion.h \
	%D%/verdict.c %D%/verdict.h
