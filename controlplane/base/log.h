/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: one line per event on standard error, for journald or a file. */
#pragma once
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are not written; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);

/* The level called "error", "warn", "info" or "debug". Returns 0, or -EINVAL. */
int log_level_parse(const char *name, enum log_level *out);

/* Prefixes lines with the sd-daemon(3) priority ("<3>" …) instead of the time and the level's name;
 * for programs that run under systemd. */
void log_set_journal(bool on);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
