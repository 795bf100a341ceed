/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists of sources (tables.h): most sources are in none, which a filter tells before
 * anything is called.
 *
 * The body defines, before it includes this file:
 *
 *   struct l4_tables;
 *   const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line);
 *       a guard line, or NULL outside of them
 *   uint8_t l4_tables_byte(const struct l4_tables *t, uint32_t at);
 *       a byte of the image, any outside of it
 */
#pragma once
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/filter.h"
#include "dataplane/l4/guarded.h"
#include "dataplane/l4/tell.h"

/* Whether bit number `bit` is set in the table that begins at a guard line. */
L4_INLINE bool l4_guard_bit(const struct l4_tables *t, uint32_t first, uint32_t bit)
{
	const struct l4_line *line = l4_tables_guard_line(t, first + bit / L4_FILTER_LINE_BITS);

	return line && line->words[bit / 64 % 8] >> bit % 64 & 1;
}

/* Whether a line of the fine table may hold a prefix of so many bits. */
L4_INLINE bool l4_filter_holds(const struct l4_line *line, uint64_t first, uint32_t bits)
{
	uint64_t hash = l4_prefix_hash(first, bits), missing = 0;

#pragma GCC unroll 3
	for (int i = 0; i < L4_FILTER_WORDS; i++)
		missing |= ~line->words[l4_filter_word(hash, i)] & l4_filter_bits(hash, i);
	return !missing;
}

/* Whether the fine table may hold a prefix of the source with a stem of so many bits. */
L4_INLINE bool l4_filter_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	uint32_t at = (uint32_t)(l4_stem_hash(first, stem) >> (g->fine_shift & 63));
	const struct l4_line *line = l4_tables_guard_line(t, g->fine + at);

	if (!line)
		return true;
	if (stem == L4_STEM6_BITS)
		return l4_filter_holds(line, first, 32) || l4_filter_holds(line, first, 40);
	if (stem == L4_STEM6_LONG_BITS)
		return l4_filter_holds(line, first, 48) || l4_filter_holds(line, first, 56) ||
		       l4_filter_holds(line, first, 64);
	return l4_filter_holds(line, first, 24) || l4_filter_holds(line, first, 26) ||
	       l4_filter_holds(line, first, 28) || l4_filter_holds(line, first, 30) ||
	       l4_filter_holds(line, first, 32);
}

/* The body's way to it: few packets need it. */
static bool l4_tables_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem);

/* Whether a prefix that is shorter than a stem may hold the source. */
L4_INLINE bool l4_filter_short(const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	return g->classes & L4_CLASS_SHORT &&
	       l4_guard_bit(t, g->shorts, (uint32_t)(first >> (64 - L4_SHORT_BITS)));
}

L4_INLINE bool l4_filter_touches4(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	return l4_filter_short(t, g, first) || l4_tables_fine(t, g, first, L4_STEM4_BITS);
}

L4_INLINE bool l4_filter_touches6(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	return l4_filter_short(t, g, first) ||
	       (g->classes & L4_CLASS_LONG && l4_tables_fine(t, g, first, L4_STEM6_LONG_BITS)) ||
	       (g->classes & L4_CLASS_STEM && l4_tables_fine(t, g, first, L4_STEM6_BITS));
}

/* Whether any list may name the source, after a closer look than l4_coarse_holds() takes. */
L4_INLINE bool l4_filter_touches(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return p.what & L4_GUARDED_IS6 ? l4_filter_touches6(t, g, p.high)
				       : l4_filter_touches4(t, g, p.low << 32);
}

/* What the coarse filter says of a stem. */
L4_INLINE uint32_t l4_coarse_says(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t stem)
{
	struct l4_coarse_place p =
		l4_coarse_place(stem, g->coarse_seed, g->coarse_starts, g->coarse_window);

	return (l4_tables_byte(t, g->coarse + p.first) ^ l4_tables_byte(t, g->coarse + p.second) ^
		       l4_tables_byte(t, g->coarse + p.third) ^ p.check) &
	       0xff;
}

L4_INLINE bool l4_coarse_has4(const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	uint32_t says = l4_coarse_says(t, g, first >> (64 - L4_STEM4_BITS));

	return says == L4_COARSE_ANY || says == l4_coarse_rest4(first);
}

L4_INLINE bool l4_coarse_has_stem6(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	return l4_coarse_says(t, g, first >> (64 - stem)) == L4_COARSE_ANY;
}

L4_INLINE bool l4_coarse_has6(const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	return (g->classes & L4_CLASS_LONG &&
		       l4_coarse_has_stem6(t, g, first, L4_STEM6_LONG_BITS)) ||
	       (g->classes & L4_CLASS_STEM && l4_coarse_has_stem6(t, g, first, L4_STEM6_BITS));
}

/* Whether a prefix that is shorter than a stem may lie in the source's /16. */
L4_INLINE bool l4_shortest_has(const struct l4_tables *t, const struct l4_guard *g, uint64_t first)
{
	uint32_t bit = (uint32_t)(first >> (64 - L4_SHORTEST_BITS));

	return l4_tables_byte(t, g->coarse - (1u << L4_SHORTEST_BITS) / 8 + bit / 8) >> bit % 8 & 1;
}

/* Whether any list may name the source: no, for most. */
L4_INLINE bool l4_coarse_holds(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	bool is6 = p.what & L4_GUARDED_IS6;
	uint64_t first = is6 ? p.high : p.low << 32;

	if (g->classes & L4_CLASS_SHORT && l4_shortest_has(t, g, first))
		return true;
	return is6 ? l4_coarse_has6(t, g, first) : l4_coarse_has4(t, g, first);
}

/* Without a branch, which would be mispredicted at every second key. */
L4_INLINE uint32_t l4_is_at_most(uint32_t key, uint32_t address)
{
	return (uint32_t)(((uint64_t)key - address - 1) >> 63);
}

/* How many of a list's changes lie at or before an address. */
L4_INLINE uint32_t l4_list4_count(const struct l4_tables *t, uint32_t line, uint32_t address)
{
	const struct l4_list *l = l4_tables_guard_line(t, line);
	uint32_t at = 0;

	if (!l)
		return 0;
	if (address == UINT32_MAX)
		return l->n;
	for (uint32_t level = 0; level < L4_LIST4_LEVELS && level < l->n_levels; level++) {
		const struct l4_list4_node *node = l4_tables_guard_line(t, l->levels[level] + at);
		uint32_t n = 0;

		if (!node)
			return 0;
#pragma GCC unroll 16
		for (int i = 0; i < L4_LIST4_KEYS; i++) {
			n += l4_is_at_most(node->keys[i], address);
			__asm__ volatile(
				""
				: "+r"(n)
				:
				: "memory"); /* one after the other: BPF's stack is small */
		}
		if (!n)
			return 0;
		at = at * L4_LIST4_KEYS + n - 1;
	}
	return at + 1;
}

/* Whether key i of a node lies at or before an address. */
L4_INLINE bool l4_list6_is_at_most(const struct l4_line *highs, const struct l4_line *lows,
	uint32_t i, uint64_t high, uint64_t low)
{
	uint64_t key = highs->words[i];

	return key < high || (key == high && lows->words[i] <= low);
}

/* How many keys of a node lie at or before an address, by halving the range where the next one may be. */
L4_INLINE uint32_t l4_list6_node_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	const struct l4_line *highs = l4_tables_guard_line(t, line),
			     *lows = l4_tables_guard_line(t, line + 1);
	uint32_t n = 0;

	if (!highs || !lows)
		return 0;
	for (uint32_t step = L4_LIST6_KEYS / 2; step; step /= 2) {
		if (l4_list6_is_at_most(highs, lows, n + step - 1, high, low))
			n += step;
		n = l4_forget(n, L4_LIST6_KEYS - step);
	}
	return n + l4_list6_is_at_most(highs, lows, n, high, low);
}

L4_INLINE uint32_t l4_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	const struct l4_list *l = l4_tables_guard_line(t, line);
	uint32_t at = 0;

	if (!l)
		return 0;
	if (!(~high | ~low))
		return l->n;
	for (uint32_t level = 0; level < L4_LIST6_LEVELS && level < l->n_levels; level++) {
		uint32_t n = l4_list6_node_count(t, l->levels[level] + 2 * at, high, low);

		if (!n)
			return 0;
		at = at * L4_LIST6_KEYS + n - 1;
	}
	return at + 1;
}

/* The body's ways to them: the kernel's verifier would follow them from wherever they are asked, if they were in line. */
static uint32_t l4_tables_list4_count(const struct l4_tables *t, uint32_t line, uint32_t address);
static uint32_t l4_tables_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low);

/* Whether a list that says `denies` of sources which it does not name denies this one. */
L4_INLINE bool l4_list_denies(
	const struct l4_tables *t, uint32_t line, uint8_t denies, struct l4_guarded p)
{
	uint32_t changes;

	if (!line)
		return denies;
	changes = p.what & L4_GUARDED_IS6 ? l4_tables_list6_count(t, line, p.high, p.low)
					  : l4_tables_list4_count(t, line, (uint32_t)p.low);
	l4_tell(t, L4_STEP_LIST, line, (denies ^ changes) & 1);
	return (denies ^ changes) & 1;
}

/* Whether the lists let a source in that none of them names. */
L4_INLINE bool l4_guard_admits_others(const struct l4_guard *g)
{
	return !(g->denies[L4_GUARD_ALL] | g->denies[L4_GUARD_OWN]);
}

/* Whether the lists let the source in. */
L4_INLINE bool l4_guard_admits(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	if (!(p.what & L4_GUARDED_LISTED) || !l4_filter_touches(t, g, p))
		return l4_guard_admits_others(g);
	return !l4_list_denies(t, g->lists[L4_GUARD_ALL], g->denies[L4_GUARD_ALL], p) &&
	       !l4_list_denies(t, g->lists[L4_GUARD_OWN], g->denies[L4_GUARD_OWN], p);
}
