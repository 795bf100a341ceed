/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames written and read byte by byte. */
#pragma once
#include <string.h>
#include "tests/packets/frame.h"

/* Appends; what no longer fits is left out. */
static inline void put(struct frame *f, const void *bytes, size_t n)
{
	if (n > sizeof f->bytes - f->len)
		n = sizeof f->bytes - f->len;
	memcpy(f->bytes + f->len, bytes, n);
	f->len += n;
}

static inline void put8(struct frame *f, unsigned value)
{
	put(f, &(uint8_t){ (uint8_t)value }, 1);
}

static inline void put16(struct frame *f, unsigned value)
{
	put8(f, value >> 8);
	put8(f, value & 0xff);
}

static inline void put32(struct frame *f, uint32_t value)
{
	put16(f, value >> 16);
	put16(f, value & 0xffff);
}

static inline void set16(struct frame *f, size_t at, unsigned value)
{
	f->bytes[at] = (uint8_t)(value >> 8);
	f->bytes[at + 1] = (uint8_t)value;
}

static inline unsigned get16(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static inline uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static inline uint64_t add_up(const uint8_t *bytes, size_t n, uint64_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (uint64_t)bytes[i] << 8;
	return sum;
}

/* RFC 1071 */
static inline unsigned fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~(unsigned)sum & 0xffff;
}
