/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_PASSED_H
#define IO_PASSED_H

#include <stddef.h>

/*
 * Sockets that the service manager opened for us (sd_listen_fds(3), without
 * its library): descriptors from 3 on, $LISTEN_FDS of them, with the names of
 * $LISTEN_FDNAMES (FileDescriptorName= in a socket unit).
 */

/* Those of this name, at most `max`; none when they are not for this process. They are made close-on-exec and stay open. */
size_t passed_sockets(const char *name, int *fds, size_t max);

#endif
