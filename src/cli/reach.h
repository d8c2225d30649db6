/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_REACH_H
#define CLI_REACH_H

#include "base/endpoint.h"
#include "io/loop.h"

/* Does somebody answer there? Each waits a few seconds at most; -1 and why not. */
int reach_endpoint(struct loop *l, const struct endpoint *ep, struct err *e);
/* A tor's control port: asked for PROTOCOLINFO, which needs no authentication. version: "" if it does not tell. */
#define REACH_VERSION_MAX 64
int reach_tor(struct loop *l, const struct endpoint *ep, char version[REACH_VERSION_MAX], struct err *e);

#endif
