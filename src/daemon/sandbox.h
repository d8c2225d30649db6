/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include "conf/conf.h"

#include <jansson.h>

/*
 * What the daemon leaves itself of the machine: the files, folders and TCP
 * ports that its configuration names (base/confine.h) and the system calls
 * that it makes (io/syscalls.h). For good: what a reload would need beyond it
 * needs a restart.
 */
struct sandbox; /* NULL in every function: nothing is confined */

#define SANDBOX_LAYERS 4
/* "files", "tcp", "scopes", "calls"; as in status and metrics. */
const char *sandbox_layer_name(unsigned layer);
bool sandbox_layer_holds(const struct sandbox *s, unsigned layer);

/*
 * Confines this process as `c` wants it; conf_path is read again by reloads.
 * Folders that the configuration wants made are made first. ERR_CONFIG when
 * c->sandbox is on or fatal and the kernel or this build cannot.
 */
int sandbox_enter(struct sandbox **out, const struct conf *c, const char *conf_path, struct err *e);
void sandbox_free(struct sandbox *s);

/* NULL if `next` needs no more than there is; else what of it does, for people: "metrics, textfile". */
const char *sandbox_outgrown(const struct sandbox *s, const struct conf *next, const char *conf_path);

/* Says in the log what holds, and what does not and why. */
void sandbox_log(const struct sandbox *s);
/* For status: {"mode", "layers": [...], "missing": text, "refused": n, "last": name}. */
json_t *sandbox_json(const struct sandbox *s);

#endif
