/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdint.h>

/*
 * sd_notify(3)'s protocol: one datagram to $NOTIFY_SOCKET. Without that
 * variable nothing happens and 0 is returned; -1 if it could not be sent.
 */
int notify_send(const char *state);
/* How often "WATCHDOG=1" is due, in ms (half of $WATCHDOG_USEC); 0: no watchdog, or it is meant for another process. */
int64_t notify_watchdog_ms(void);

#endif
