/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>
#include <onionmirror/onionmirror.h>
#include <stdbool.h>
#include <stdint.h>

/* What a list says, for people and for programs. */

/* Site, members with their age, mirrors. */
void report_print(const om_site *site, int64_t now);
/* Adds "site", "pinned", "members", "mirrors" (empty unless `with_mirrors`). */
void report_add_json(json_t *o, const om_site *site, int with_mirrors);
/* The members whose head should have been replaced by now. */
size_t report_count_stale(const om_site *site, int64_t now);
/* Warns on stderr when the site id came from the list itself. */
void report_warn_unpinned(const om_site *site);
/* Says on stderr that a fork was proved, and whether the memory at `path` holds all of the evidence; CLI_UNVERIFIED. */
int report_warn_fork(const char *path, bool kept);

#endif
