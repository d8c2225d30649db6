/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_TREE_H
#define SUPPORT_TREE_H

/* Removes a folder of a test's with all that is in it; links are removed, not followed. */
void tree_remove(const char *path);

#endif
