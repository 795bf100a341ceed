/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine behind engine.h: its process is met, and its tables are taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"

enum { WAIT_MS = 5000 };

/* The bank of neighbours that no packet goes by becomes ours, empty. */
static int take_tables(struct engine *en)
{
	struct dpdk *d = en->own;
	const struct store_table *t = d->store.tables;
	struct engine_tables *out = &en->tables;

	d->bank = d->hello.generation ? 1 - d->hello.bank : 0;
	out->guard = calloc(en->guard_lines + 1u, sizeof *out->guard);
	out->neighbours = store_block(&d->store, STORE_NEIGHBOURS, d->bank);
	out->records = store_block(&d->store, STORE_RECORDS, 0);
	out->floods = store_block(&d->store, STORE_FLOODS, 0);
	out->proxied = store_block(&d->store, STORE_PROXIED, 0);
	out->datagrams = store_block(&d->store, STORE_DATAGRAMS, 0);
	out->n_neighbours = t[STORE_NEIGHBOURS].rows;
	out->n_floods = t[STORE_FLOODS].rows;
	out->n_records = t[STORE_RECORDS].rows;
	out->n_proxied = t[STORE_PROXIED].rows;
	out->n_datagrams = t[STORE_DATAGRAMS].rows;
	d->index = (struct neighbour_index){
		.cells = store_block(&d->store, STORE_CELLS, d->bank),
		.rows = out->neighbours,
		.n_rows = out->n_neighbours,
		.bits = neighbour_index_bits(out->n_neighbours),
	};
	memcpy(d->index.key, store_block(&d->store, STORE_CELLS_KEY, 0), sizeof d->index.key);
	memset(d->index.cells, 0, t[STORE_CELLS].stride);
	memset(out->neighbours, 0, t[STORE_NEIGHBOURS].stride);
	return out->guard ? 0 : -ENOMEM;
}

static int map_rings(struct dpdk *d, int fd)
{
	size_t size = (size_t)d->hello.chunks * sizeof(struct l4_chunk);
	struct stat st;
	void *map;

	if (fstat(fd, &st) || !size || st.st_size < (off_t)size)
		return -EPROTO;
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	d->past_rings = (struct memfd){ map, size };
	return 0;
}

static int read_past(struct dpdk *d, const struct dpdk_files *files, const char **why)
{
	const struct protocol_hello *h = &d->hello;
	const struct sealed_limits limits = { h->lines, h->chunks, h->guard };
	int rc;

	*why = "";
	if (files->n != PROTOCOL_FILES)
		return memfd_refuse(-EPROTO, "does not come with its rings", why);
	rc = sealed_read(&d->past, files->fd[0], &limits, why);
	if (!rc && d->past.generation != h->generation)
		rc = memfd_refuse(-EPROTO, "is another one than the engine says", why);
	if (rc)
		return rc;
	rc = map_rings(d, files->fd[1]);
	return rc ? memfd_refuse(rc, "comes with rings that cannot be mapped", why) : 0;
}

/* Packets go on by it, whether or not it can be read. */
static void take_past(struct engine *en, const struct dpdk_files *files)
{
	struct dpdk *d = en->own;
	const char *why;

	if (!d->hello.generation)
		return;
	en->past = (struct engine_past){
		.adopted = true,
		.generation = d->hello.generation,
		.neighbours = store_block(&d->store, STORE_NEIGHBOURS, d->hello.bank),
		.n_neighbours = d->store.tables[STORE_NEIGHBOURS].rows,
	};
	log_info(
		"the DPDK engine serves by the former process' generation until the first snapshot "
		"is published");
	if (read_past(d, files, &why)) {
		log_warn("the generation that the DPDK engine has %s: flows whose servers have "
			 "changed may be broken",
			why);
		return;
	}
	en->past.image = d->past.image;
	en->past.image_lines = d->past.lines;
	en->past.rings = d->past_rings.map;
	en->past.n_chunks = d->hello.chunks;
}

void dpdk_forget_past(struct engine *en)
{
	struct dpdk *d = en->own;

	en->past.image = NULL;
	en->past.rings = NULL;
	sealed_free(&d->past);
	memfd_free(&d->past_rings);
}

static int set_up(struct engine *en, const struct dpdk_files *files, uint32_t routes, struct err *e)
{
	struct dpdk *d = en->own;
	int rc = dpdk_check_hello(d, &d->hello, e);

	if (!rc)
		rc = dpdk_join_store(d, e);
	if (rc)
		return rc;
	dpdk_learn_drivers(d);
	rc = take_tables(en);
	if (!rc)
		rc = dpdk_routes_open(en, routes);
	if (!rc)
		rc = dpdk_return_open(en);
	if (rc)
		return engine_no_memory(e);
	take_past(en, files);
	return 0;
}

static int dpdk_open(
	struct engine *en, struct event_base *base, const struct engine_options *o, struct err *e)
{
	struct dpdk_files files = { .fd = { -1, -1 } };
	struct dpdk *d = calloc(1, sizeof *d);
	int rc;

	en->own = d;
	if (!d)
		return engine_no_memory(e);
	d->link.fd = d->told.fd = -1;
	d->last_gap_ms = -1;
	d->base = base;
	d->wait_ms = o->wait_ms ? o->wait_ms : WAIT_MS;
	d->run_dir = strdup(o->run_dir);
	if (!d->run_dir)
		return engine_no_memory(e);
	dpdk_need(d, en, o);
	rc = dpdk_meet(en, &files, e);
	if (!rc)
		rc = set_up(en, &files, o->limits->routes, e);
	dpdk_files_close(&files);
	return rc;
}

static void dpdk_close(struct engine *en)
{
	struct dpdk *d = en->own;

	if (!d)
		return;
	dpdk_return_close(d);
	dpdk_routes_close(d);
	dpdk_forget_past(en);
	store_close(&d->store);
	free(en->tables.guard);
	free(d->sent.image);
	free(d->changes.list);
	free(d->run_dir);
	free(d);
}

/* The engine has the interfaces already. */
static int dpdk_attach(struct engine *en, struct err *e)
{
	const struct dpdk *d = en->own;

	(void)e;
	for (unsigned i = 0; i < en->n_ports; i++) {
		en->ports[i].mode = d->needs.ports[i].driver;
		en->ports[i].nic = d->needs.ports[i].nic;
		en->ports[i].host_path = d->needs.ports[i].host_path;
		log_info("interface %s is run by DPDK's driver %s", en->ports[i].device,
			en->ports[i].mode);
	}
	return 0;
}

static int index_set(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	const struct engine *en = arg;
	const struct dpdk *d = en->own;

	(void)key;
	return neighbour_index_set(&d->index, row);
}

static void index_remove(void *arg, const struct l4_neighbour_key *key, uint32_t row)
{
	const struct engine *en = arg;
	const struct dpdk *d = en->own;

	(void)key;
	neighbour_index_delete(&d->index, row);
}

const struct engine_body dpdk_body = {
	.open = dpdk_open,
	.close = dpdk_close,
	.keep_slots = dpdk_keep_slots,
	.kept_slots = dpdk_kept_slots,
	.publish = dpdk_publish,
	.attach = dpdk_attach,
	.route = dpdk_route,
	.index = { index_set, index_remove },
	.count = dpdk_count,
	.clear = dpdk_clear,
	.add = dpdk_add,
	.adds_live = true,
	.trace = dpdk_trace,
	.line = dpdk_line,
	.capture_begin = dpdk_capture_begin,
	.capture_end = dpdk_capture_end,
	.capture_lost = dpdk_capture_lost,
	.state = dpdk_state,
	.report = dpdk_report,
	.changes = dpdk_changes,
	.yield = dpdk_yield,
	.resume = dpdk_resume,
	.ready = dpdk_ready,
	.holds = dpdk_holds,
	.take = dpdk_take,
	.give = dpdk_give,
	.may_detach = dpdk_may_detach,
	.detach = dpdk_detach,
};
