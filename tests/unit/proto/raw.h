/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_PROTO_RAW_H
#define TESTS_UNIT_PROTO_RAW_H

#include "proto/reply.h"

#include <string.h>

/* Feeds `raw` to a fresh reader: what reply_reader_feed() said. */
static inline int
raw_feed(const char *raw, size_t len, reply_cb *cb, void *arg, struct err *e)
{
	struct reply_reader *r = reply_reader_new();
	int rc = reply_reader_feed(r, raw, len, cb, arg, e);

	reply_reader_free(r);
	return rc;
}

static inline int
raw_reply(const char *raw, reply_cb *cb, void *arg)
{
	return raw_feed(raw, strlen(raw), cb, arg, NULL);
}

#endif
