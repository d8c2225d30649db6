/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_BARE_H
#define SIM_BARE_H

/* A world without a daemon, a nemesis and checkers: time, chance, streams, a disk and the Tor network. */
void bare_world_begin(void);
void bare_world_end(void);

#endif
