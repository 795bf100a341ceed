/* SPDX-License-Identifier: BSD-2-Clause */
/* Values with a unit or a form of their own, as an operator writes them in strings. */
#pragma once
#include <stdint.h>

/* Each reads the whole of text and returns 0; or -EINVAL when it is not of the form, -ERANGE when it is
 * but does not fit the type (or, for a status range, runs backwards). *out is written on success only. */

/* "500ms", "2s", "1m", "1h" -> milliseconds. */
int conf_duration_parse(const char *text, uint32_t *out);

/* "10%" -> 10. */
int conf_percent_parse(const char *text, uint32_t *out);

/* "200-399" or "200" -> { 200, 399 } or { 200, 200 }. */
int conf_status_parse(const char *text, uint16_t out[2]);

#define CONF_DURATION_TEXT 16

/* Writes ms with the largest unit that needs no fraction ("90s", "1500ms") into buf and returns buf. */
const char *conf_duration_text(uint32_t ms, char buf[CONF_DURATION_TEXT]);
