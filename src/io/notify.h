/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdint.h>

/*
 * The service manager's notification protocol (sd_notify(3)), without its
 * library: one datagram of "KEY=value" lines to the socket in $NOTIFY_SOCKET.
 */

/* E.g. "READY=1\nSTATUS=..."; 0 when sent or when no manager asked for it, -1 with errno else. */
int notify_send(const char *state);
/* How often to send "WATCHDOG=1": half of $WATCHDOG_USEC in ms (at least 1), 0 when not asked of this process. */
int64_t notify_watchdog_ms(void);

/* A variable of the environment that the manager set: a plain decimal number, else 0. */
int64_t notify_number(const char *name);

#endif
