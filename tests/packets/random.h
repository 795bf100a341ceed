/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that look random and that a seed repeats everywhere. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
static inline uint64_t random_draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number below n; 0 when that is 0. */
static inline unsigned random_below(uint64_t *state, size_t n)
{
	return n ? (unsigned)(random_draw(state) % n) : 0;
}

static inline bool random_chance(uint64_t *state, unsigned percent)
{
	return random_below(state, 100) < percent;
}
