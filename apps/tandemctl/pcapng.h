/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes pcapng (draft-ietf-opsawg-pcapng): Ethernet frames of several interfaces, in nanoseconds, each with a comment. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct pcapng;

enum pcapng_direction { PCAPNG_IN = 1, PCAPNG_OUT = 2 };

struct pcapng_frame {
	const char *interface;
	enum pcapng_direction direction;
	uint64_t time_ns;     /* CLOCK_REALTIME */
	size_t length;	      /* of the frame */
	const uint8_t *bytes; /* of which so many were captured: */
	size_t captured;
	const char *comment;
};

/* Begins a file, which stays the caller's. */
struct pcapng *pcapng_new(FILE *to);
void pcapng_free(struct pcapng *p);

/* Errors stay with the file (ferror()). */
void pcapng_write(struct pcapng *p, const struct pcapng_frame *f);
