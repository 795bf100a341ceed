/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a frame, as text and to look at. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "tests/packets/body.h"

struct frame {
	size_t len;
	uint8_t bytes[BODY_FRAME_MAX];
};

/* Appends the bytes of a word of hex digits, or XX*N: N times the byte XX. Returns false when it is neither,
 * or the frame becomes too long. */
bool frame_add(struct frame *f, const char *word);

/* Hex without blanks, "-" for none. */
void frame_print(FILE *out, const uint8_t *bytes, size_t len);

/* Prints the lines in which the two differ, 32 bytes each, with a mark under every byte that does. */
void frame_print_diff(FILE *out, const struct frame *want, const uint8_t *got, size_t got_len);
