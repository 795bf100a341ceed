/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker goes by: the store's tables, and what was published last. */
#include "dataplane/dpdk/generation.h"
#include "dataplane/dpdk/worker.h"

static void use_bank(struct worker *w, uint32_t bank)
{
	struct l4_tables *t = &w->tables;

	t->neighbours = store_block(w->store, STORE_NEIGHBOURS, bank);
	w->neighbour_index.cells = store_block(w->store, STORE_CELLS, bank);
	w->neighbour_index.rows = t->neighbours;
}

static void follow(struct worker *w, const struct generation *g)
{
	struct l4_tables *t = &w->tables;

	use_bank(w, g->bank);
	t->image = g->sealed.image;
	t->lines = g->sealed.lines;
	t->rings = g->area->chunks;
	t->n_chunks = g->area->n_chunks;
	t->guard = g->area->guard;
	t->n_guard = g->area->n_guard;
}

bool worker_look_up(struct worker *w)
{
	const struct worker_common *c = w->common;
	const struct generation *g = __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE);

	if (unlikely(!g))
		return false;
	follow(w, g); /* each time: another one may lie where the last one was */
	w->tables.routes = __atomic_load_n(&c->routes[g->bank], __ATOMIC_ACQUIRE);
	w->own.now = (uint16_t)__atomic_load_n(&c->now, __ATOMIC_RELAXED);
	return true;
}

void worker_init(struct worker *w, const struct worker_common *common, const struct store *s,
	unsigned number)
{
	struct l4_tables *t = &w->tables;

	memset(w, 0, sizeof *w);
	w->common = common;
	w->number = number;
	w->hash_flows = flow_hashes_best();
	t->own = &w->own;
	t->n_neighbours = s->tables[STORE_NEIGHBOURS].rows;
	w->store = s;
	w->neighbour_index.n_rows = t->n_neighbours;
	w->neighbour_index.bits = store_bits(s, STORE_CELLS);
	memcpy(w->neighbour_index.key, store_block(s, STORE_CELLS_KEY, 0),
		sizeof w->neighbour_index.key);
	t->neighbour_index = &w->neighbour_index;
	use_bank(w, 0);
	t->records = store_block(s, STORE_RECORDS, 0);
	t->record_bits = store_bits(s, STORE_RECORDS);
	t->sources = store_block(s, STORE_SOURCES, 0);
	t->source_bits = store_bits(s, STORE_SOURCES);
	t->datagrams = store_block(s, STORE_DATAGRAMS, 0);
	t->datagram_bits = store_bits(s, STORE_DATAGRAMS);
	t->proxied = store_block(s, STORE_PROXIED, 0);
	t->proxied_bits = store_bits(s, STORE_PROXIED);
	t->floods = store_block(s, STORE_FLOODS, 0);
	t->n_floods = s->tables[STORE_FLOODS].rows;
	w->own.places = store_block(s, STORE_PLACES, number + 1);
	w->verdicts = store_block(s, STORE_VERDICTS, number + 1);
	w->services = store_block(s, STORE_SERVICES, number + 1);
	w->n_services = s->tables[STORE_SERVICES].rows;
	w->servers = store_block(s, STORE_SERVERS, number + 1);
	w->n_servers = s->tables[STORE_SERVERS].rows;
	w->vip_drops = store_block(s, STORE_VIP_DROPS, number + 1);
	w->n_vip_drops = s->tables[STORE_VIP_DROPS].rows;
	w->service_drops = store_block(s, STORE_SERVICE_DROPS, number + 1);
	w->n_service_drops = s->tables[STORE_SERVICE_DROPS].rows;
}
