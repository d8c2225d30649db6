/* SPDX-License-Identifier: BSD-3-Clause */
/* Which fault is on; nothing in a build without them. */
#include "config.h"
#include "base/mutant.h"

#ifdef MUTANTS
int mutant_number;
#endif
