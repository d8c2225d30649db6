/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_JOURNAL_H
#define IO_JOURNAL_H

#include <stddef.h>

/*
 * systemd's journal by its own protocol: one datagram of "FIELD=value" lines an
 * entry. One connection for the whole process; it never blocks.
 */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Only a daemon whose stderr is the journal should call it. 0 or -1 with errno: there is none. */
int journal_open(const char *path);
void journal_close(void);
/* 0 or -1 with errno: not sent (the journal is away or does not keep up). */
int journal_send(const char *datagram, size_t n);

#endif
