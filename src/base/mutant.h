/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_MUTANT_H
#define BASE_MUTANT_H

/*
 * Faults on purpose, one line each, to see whether the simulator finds them
 * (tests/sim/mutants.sh). In every build but that script's MUTANT() is the constant 0.
 *
 *  1  any probe proves an address          14  a retired key is kept
 *  2  no serial is recorded                15  a backend that is down is a takedown
 *  3  our own side is always fit           16  rotations follow one another at once
 *  4  inconclusive counts as a failure     17  timers run on the wall clock
 *  5  tombstones are forgotten             18  all probes share one circuit
 *  6  DEL_ONION before the drain is over   19  any address in ADD_ONION's answer will do
 *  7  commands outlive their link          20  descriptors are never fetched anew
 *  8  tor need not prove itself            21  the first failure delists
 *  9  additions are not paced              22  min-listed is no limit
 * 10  folders are not synced               23  addresses in the log
 * 11  no panic                             24  the list is not renewed
 * 12  a retired address is added again     25  what tor has is compared only once
 * 13  foreign services are deleted            26  no spare is ever needed
 * 27  a vantage that is not fit counts too    28  a hold by hand ends with the daemon
 * 29  deleted before readers are warned       30  the only address may be drained
 * 31  what others published is forgotten
 */
#ifdef MUTANTS
extern int mutant_number; /* 0: none */
#define MUTANT(n) (mutant_number == (n))
#else
#define MUTANT(n) 0
#endif

#endif
