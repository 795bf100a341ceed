/* SPDX-License-Identifier: BSD-2-Clause */
/* What outlives an engine's process: tables in files of a directory on a tmpfs, which engine and control plane both map.
 *
 * A file is a head that says how large its rows are and how many there are, and behind it the rows, in blocks: counters have one
 * block for each worker, which alone writes it, and block 0 for what is to be taken off the sum, verdicts one more for the thread that
 * feeds the workers; neighbours and their index have two banks, other tables one block.
 * A file is never changed in size. One of another geometry takes the place of the old one by rename(2), so that
 * who has mapped that reads on in memory that is nobody else's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/l4/tables.h"

enum store_kind {
	STORE_NEIGHBOURS, /* struct l4_neighbour */
	STORE_CELLS,	  /* of the index of neighbours (neighbour_index.h): a uint32_t each */
	STORE_CELLS_KEY,  /* one row: the key of its hash */
	STORE_RECORDS,	  /* struct l4_record_bucket, a power of two */
	STORE_SOURCES,	  /* struct l4_source_bucket, likewise */
	STORE_DATAGRAMS,  /* struct l4_datagram_bucket, likewise */
	STORE_PROXIED,	  /* struct l4_proxied_bucket, likewise */
	STORE_FLOODS,	  /* struct l4_flood, by service id */
	/* Counters. */
	STORE_VERDICTS,	     /* one row of L4_V_COUNT words */
	STORE_PLACES,	     /* one row of L4_PLACE_COUNT words */
	STORE_SERVICES,	     /* struct l4_counter, by id */
	STORE_SERVERS,	     /* likewise */
	STORE_VIP_DROPS,     /* L4_V_COUNT words, by id */
	STORE_SERVICE_DROPS, /* likewise */
	STORE_KINDS,
};

enum { STORE_MAX_WORKERS = 128, STORE_BANKS = 2 };

struct store_sizes {
	uint32_t vips, services, servers; /* the highest ids */
	uint32_t neighbours;
	/* Entries, rounded up to a power of two of buckets, of which there are two at least. */
	uint32_t records, sources, datagrams, proxied;
	uint32_t workers; /* 1 to STORE_MAX_WORKERS */
};

struct store_table {
	uint8_t *memory; /* block 0 */
	uint32_t rows;	 /* of a block */
	uint32_t blocks;
	uint32_t row_size;
	size_t stride; /* bytes from block to block, a multiple of a cache line */
	bool adopted;  /* it goes on from a former process */
	bool kept; /* in the size of that, which is not the one asked for, since something lives there */
	void *map; /* the file */
	size_t map_size;
	uint64_t device, inode; /* the file's; 0: memory of the process' own */
};

struct store {
	struct store_table tables[STORE_KINDS];
};

/* Takes over the files that lie in the directory, where their geometry is as asked for; makes those that are missing. Of others counters
 * and floods are carried over into new ones; records and connections begun by SYN cookies are used on in the size that they
 * have as long as any lives; the rest begins anew. Nobody else may be writing: entries that the process before had claimed are
 * freed. dir NULL: in memory of the process' own. Returns 0; -EINVAL; -ENOMEM; another negative
 * errno of a file, then *what is its name. */
int store_open(
	struct store *out, const char *dir, const struct store_sizes *sizes, const char **what);

/* Maps the files that another process has made. Returns 0; -ENOENT; -EPROTO (of another version, or not as long as it says). */
int store_join(struct store *out, const char *dir, const char **what);

/* Whether the files of the directory are those that are mapped: an engine that starts anew may have made others. */
bool store_is(const struct store *s, const char *dir);

void store_close(struct store *s);

/* Removes the files. Returns how many there were, or a negative errno. */
int store_remove(const char *dir);

static inline void *store_block(const struct store *s, enum store_kind kind, uint32_t block)
{
	const struct store_table *t = &s->tables[kind];

	return t->memory + block * t->stride;
}

/* The binary logarithm of the number of a table's buckets. */
uint32_t store_bits(const struct store *s, enum store_kind kind);

/* The words of a row of counters, each summed over all workers, less what was taken off. out: row_size / 8 words; zeros where there is no
 * such row, and then -ENOENT is returned, else 0. */
int store_sum(const struct store *s, enum store_kind kind, uint32_t row, uint64_t *out);

/* Has the sums of n words of a row, from `first` on, be so much more from now on, modulo 2^64; workers may go on counting. Returns as
 * store_sum(). */
int store_add(struct store *s, enum store_kind kind, uint32_t row, uint32_t first,
	const uint64_t *more, uint32_t n);

/* Takes the sums of a row off from now on. Returns as store_sum(). */
int store_reset(struct store *s, enum store_kind kind, uint32_t row);
