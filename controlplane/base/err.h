/* SPDX-License-Identifier: BSD-2-Clause */
/* One sentence that says what went wrong, where, and what to do. */
#pragma once
#include <stdarg.h>

struct err {
	char text[512];
};

/* Writes the sentence into e (which may be NULL) and returns code, so that a failing function can end
 * in `return err_set(e, -ENOENT, "…", …)`. code is a negative errno value. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of e's sentence and returns code. */
int err_prefix(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
