/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "base/err.h"
#include "proto/onion.h"

#include <onionmirror/onionmirror.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a list can be had: an onion, or a file or folder. */
#define PLACE_BUNDLE_PATH "/.well-known/onionmirror/bundle.json"
#define PLACE_LIST_PORT 8008 /* of an address alone; of a URL it is 80 */

struct place {
	const char *text; /* as given, borrowed */
	bool is_file;
	char address[ONION_ADDR_LEN + 1]; /* if it is none */
	char host[ONION_HOST_LEN + 7];    /* as in the request: with :port unless 80 */
	uint16_t port;
	const char *path; /* borrowed from text, or PLACE_BUNDLE_PATH */
};

/*
 * "<56>.onion[:port]", "http://<56>.onion[:port][/path]", else a file's name.
 * ERR_PARSE, or ERR_REFUSED for https and other schemes. Upper case is refused,
 * and so is everything else that could be read as another host.
 */
int place_parse(struct place *out, const char *text, struct err *e);

/*
 * Feeds a list from disk: a bundle, a folder that holds bundle.json, or one with
 * single documents. -1: refused for fault->reason, or, if that is OM_OK, it
 * could not be read (`e`).
 */
int place_feed_file(const char *path, om_site *site, int64_t now, om_error *fault, struct err *e);
/* Feeds the bundle that is in an open file. */
int place_feed_descriptor(int fd, om_site *site, int64_t now, om_error *fault, struct err *e);

#endif
