/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_LIB_READER_H
#define TESTS_UNIT_LIB_READER_H

#include "support/listkit.h"

#include <onionmirror/onionmirror.h>

/* A list with its defaults, built, and a reader who holds its site id and has seen nothing. */
extern struct kit kit;
extern om_site *site;
extern om_error error;

void reader_setup(void);
void reader_teardown(void);

#endif
