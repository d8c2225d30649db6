/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The whole terminal, as lines. Only lines that changed are sent, and a frame
 * only when the one before has been taken, so a slow link sees fewer frames,
 * never old ones. The terminal is given back as it was at screen_close() and
 * when the process is stopped, asked to end, or crashes. One at a time.
 */
struct screen;

/* NULL: there is no terminal, or it can't move its cursor. */
struct screen *screen_open(struct err *e);
/* NULL is fine. */
void screen_close(struct screen *s);

/* Becomes true when a signal asks to end, or the terminal went away. screen_signal(): which, 0: none. */
extern volatile sig_atomic_t screen_is_over;
int screen_signal(void);

unsigned screen_rows(const struct screen *s);
unsigned screen_columns(const struct screen *s);
bool screen_is_utf8(const struct screen *s);

/* A line of the next frame, 0 the uppermost: printable text only, cut at the right edge. */
enum screen_style { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_REVERSE };
void screen_line(struct screen *s, unsigned row, enum screen_style style, const char *text);
/* Takes care of stops and of a new size, and sends what differs. Call often; false: draw the frame again. */
bool screen_show(struct screen *s);

enum screen_key { SCREEN_NONE = 0, SCREEN_UP = 256, SCREEN_DOWN };
/* The next key that was pressed, a byte or an enum screen_key; never waits. */
int screen_key(struct screen *s);

#endif
