/* SPDX-License-Identifier: BSD-2-Clause */
/* Which row of the neighbours' table a host on a link has: cells in memory that one process writes and others read, without a lock.
 *
 * A cell is a row's number and one, or 0: empty. Rows say themselves whose they are, so that a cell holds nothing else. A row lies
 * in the first cell from its home on, which the hash names, that was free; no cell between the two is ever empty, and none is further away
 * than INDEX_PROBES. There are twice as many cells as rows, at least: one and a half of them are looked at on average. They are
 * asked one by one, not line by line, since each that holds another row costs a look at that.
 *
 * One that is deleted is made good for at once: what lies behind it moves up, so that nothing is left which makes others longer to
 * find. A row that moves is written into its new cell before its old one is. So whoever looks in the direction in which rows move may miss one
 * that has just passed; but not who looks in the other one. A reader that comes to an empty cell without having found anything
 * goes back the way it came, and a row that is there all the time is always found. What is missed while it is being
 * entered is asked for once more, as any host is that nothing is known of.
 *
 * The writer fills a row before it names it, and fills it again only after neighbour_index_delete(). A reader that has found a row
 * looks once more at the cell and at the row: it takes none for another that is just being filled. What it has found may be
 * deleted the next moment and then be another's, which is a long way off where rows come free in a ring, as they do in
 * controlplane/engine/neighbours.h. */
#pragma once
#include <errno.h>
#include "dataplane/l4/hash.h"
#include "dataplane/l4/tables.h"

enum {
	INDEX_PROBES = 256, /* cells; of four million rows none was further away than 38 */
	INDEX_BITS_LEAST = 4,
};

/* A process' view of it. */
struct neighbour_index {
	uint32_t *cells; /* 1 << bits of them, all 0 at first */
	const struct l4_neighbour *rows;
	uint32_t n_rows, bits; /* bits: neighbour_index_bits(n_rows) */
	uint64_t key[2];       /* of the hash, random: hosts choose their addresses */
};

/* How many bits number the cells for so many rows, of which there are 2^30 at most. */
static inline uint32_t neighbour_index_bits(uint32_t rows)
{
	uint32_t bits = INDEX_BITS_LEAST;

	while (1ull << bits < 2ull * rows)
		bits++;
	return bits;
}

static inline uint32_t neighbour_index_cell(const struct neighbour_index *x, uint32_t at)
{
	return at & ((1u << x->bits) - 1);
}

/* The home of a key: SipHash of the address' bytes and the interface's number; their length tells the families apart. */
static inline uint32_t neighbour_index_home(
	const struct neighbour_index *x, const struct l4_neighbour_key *k)
{
	struct l4_sip s = l4_sip_init(x->key);

	if (k->is6) {
		l4_sip_word(&s, (uint64_t)k->address[1] << 32 | k->address[0]);
		l4_sip_word(&s, (uint64_t)k->address[3] << 32 | k->address[2]);
		l4_sip_word(&s, 20ull << 56 | k->ifindex);
	} else {
		l4_sip_word(&s, (uint64_t)k->ifindex << 32 | k->address[0]);
		l4_sip_word(&s, 8ull << 56);
	}
	return (uint32_t)(l4_sip_end(&s) >> (64 - x->bits));
}

/* The number of the row in a cell; any one that is not less than n_rows: there is none. */
static inline uint32_t neighbour_index_row(const struct neighbour_index *x, uint32_t cell)
{
	return __atomic_load_n(&x->cells[cell], __ATOMIC_ACQUIRE) - 1;
}

static inline bool neighbour_index_is(
	const struct l4_neighbour *n, const struct l4_neighbour_key *k)
{
	uint32_t differs = (__atomic_load_n(&n->ifindex, __ATOMIC_RELAXED) ^ k->ifindex) |
			   (__atomic_load_n(&n->is6, __ATOMIC_RELAXED) ^ k->is6);

	for (int i = 0; i < 4; i++)
		differs |= __atomic_load_n(&n->address[i], __ATOMIC_RELAXED) ^ k->address[i];
	return !differs;
}

/* Whether a cell holds the key's row, and did before that was compared, which may have been half filled then. */
static inline bool neighbour_index_holds(const struct neighbour_index *x, uint32_t cell,
	uint32_t row, const struct l4_neighbour_key *k)
{
	if (row >= x->n_rows || !neighbour_index_is(&x->rows[row], k))
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return neighbour_index_row(x, cell) == row && neighbour_index_is(&x->rows[row], k);
}

/* Back from a cell that was empty, or that no row with this home is as far away as. */
static inline uint32_t neighbour_index_back(const struct neighbour_index *x, uint32_t home,
	uint32_t cells, const struct l4_neighbour_key *k)
{
	while (cells--) {
		uint32_t cell = neighbour_index_cell(x, home + cells);
		uint32_t row = neighbour_index_row(x, cell);

		if (neighbour_index_holds(x, cell, row, k))
			return row;
	}
	return L4_NO_NEIGHBOUR;
}

/* The row of a host, or L4_NO_NEIGHBOUR. Ends whatever the cells hold, and names no row but that of the key. */
static inline uint32_t neighbour_index_find(
	const struct neighbour_index *x, const struct l4_neighbour_key *k)
{
	uint32_t home = neighbour_index_home(x, k), i;

	for (i = 0; i < INDEX_PROBES; i++) {
		uint32_t cell = neighbour_index_cell(x, home + i);
		uint32_t row = neighbour_index_row(x, cell);

		if (row == L4_NO_NEIGHBOUR) /* empty */
			break;
		if (neighbour_index_holds(x, cell, row, k))
			return row;
	}
	return neighbour_index_back(x, home, i, k);
}

/* From here on: the writer's. */

static inline void neighbour_index_write(
	const struct neighbour_index *x, uint32_t cell, uint32_t what)
{
	__atomic_store_n(&x->cells[cell], what, __ATOMIC_RELEASE);
}

static inline struct l4_neighbour_key neighbour_index_key(const struct l4_neighbour *n)
{
	return (struct l4_neighbour_key){
		{ n->address[0], n->address[1], n->address[2], n->address[3] },
		n->ifindex,
		n->is6,
	};
}

/* Enters a row, which has been filled and is not entered. Returns 0; or -ENOSPC: its hash is that of too many others. */
static inline int neighbour_index_set(const struct neighbour_index *x, uint32_t row)
{
	struct l4_neighbour_key k = neighbour_index_key(&x->rows[row]);
	uint32_t home = neighbour_index_home(x, &k);

	for (uint32_t i = 0; i < INDEX_PROBES; i++) {
		uint32_t cell = neighbour_index_cell(x, home + i);

		if (x->cells[cell])
			continue;
		neighbour_index_write(x, cell, row + 1);
		return 0;
	}
	return -ENOSPC;
}

/* How far a cell's row is from its home; 0: what is there is no row, and stays. */
static inline uint32_t neighbour_index_distance(const struct neighbour_index *x, uint32_t cell)
{
	uint32_t row = neighbour_index_row(x, cell);
	struct l4_neighbour_key k;

	if (row >= x->n_rows)
		return 0;
	k = neighbour_index_key(&x->rows[row]);
	return neighbour_index_cell(x, cell - neighbour_index_home(x, &k));
}

/* Closes the gap in a cell, which still names what has been deleted (Knuth, volume 3, section 6.4, algorithm R). */
static inline void neighbour_index_close(const struct neighbour_index *x, uint32_t gap)
{
	uint32_t n = 1u << x->bits;

	for (uint32_t i = 1, width = 1; i < n; i++, width++) {
		uint32_t cell = neighbour_index_cell(x, gap + width);

		if (!x->cells[cell])
			break;
		if (neighbour_index_distance(x, cell) < width)
			continue;
		neighbour_index_write(x, gap, x->cells[cell]);
		gap = cell;
		width = 0;
	}
	neighbour_index_write(x, gap, 0);
}

/* Takes a row out that may be entered, and is still filled; behind this it may be filled with another. */
static inline void neighbour_index_delete(const struct neighbour_index *x, uint32_t row)
{
	struct l4_neighbour_key k = neighbour_index_key(&x->rows[row]);
	uint32_t home = neighbour_index_home(x, &k);

	for (uint32_t i = 0; i < INDEX_PROBES; i++) {
		uint32_t cell = neighbour_index_cell(x, home + i);

		if (!x->cells[cell])
			break;
		if (x->cells[cell] != row + 1)
			continue;
		neighbour_index_close(x, cell);
		break;
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
}
