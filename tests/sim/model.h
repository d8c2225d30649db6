/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "sim/simback.h"
#include "sim/simnet.h"
#include "sim/simtor.h"

/* The parts of the model, for scenarios and checkers that want more than sim.h tells. NULL past the plan's numbers. */
struct simtor *model_tor(unsigned tor);
struct back *model_back(unsigned mirror);
/* The newest address (in order of its addition) that some tor has for this mirror's backend; NULL: none. */
const char *model_address(unsigned mirror);

#endif
