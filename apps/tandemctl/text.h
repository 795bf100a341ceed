/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings made, measured and made harmless. Functions that return memory never return NULL: a command
 * line tool that has none left says so and ends. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* n zeroed elements of the given size; the caller frees them. */
void *text_zalloc(size_t n, size_t size);

/* printf() into memory that the caller frees. */
char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* open_memstream(): what is written is in *out and *size after fclose(), for the caller to free. */
FILE *text_stream(char **out, size_t *size);

/* Decodes one UTF-8 character (RFC 3629) of the n > 0 bytes at s. Returns its length in bytes; a byte that begins
 * none counts as one character, TEXT_INVALID plus the byte. */
size_t text_decode(const char *s, size_t n, uint32_t *out);

#define TEXT_INVALID 0x80000000u

/* Whether a terminal would act on the character instead of showing it: C0, DEL, C1, and those that
 * turn the direction of writing; bytes that are no UTF-8 count too. */
bool text_is_control(uint32_t c);

/* A copy in which control characters are spelled out: \xNN for bytes, \uNNNN for characters. */
char *text_escape(const char *s);

/* How many columns an escaped string takes on a terminal: one per character. (Wide characters only come
 * up in free text, which stands last in its line.) */
size_t text_width(const char *s);

/* Reads an RFC 3339 time in UTC, "2024-05-01T10:00:00.123Z", to the second. */
bool text_parse_time(const char *s, time_t *out);
