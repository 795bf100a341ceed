/* SPDX-License-Identifier: BSD-2-Clause */
/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state; /* any number: the seed */
};

static inline uint64_t random_draw(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((random_draw(r) >> 32) * n >> 32);
}

/* True n times in `of`. */
static inline bool random_chance(struct random *r, uint32_t n, uint32_t of)
{
	return random_below(r, of) < n;
}
