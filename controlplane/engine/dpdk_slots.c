/* SPDX-License-Identifier: BSD-2-Clause */
/* Slot tables that outlive both processes. A generation ends with the engine's, and what else knows the servers of slots that are changing
 * hands with tandemd's; records go on. So the tables of such slots lie in a file beside the records, which is replaced before
 * packets see a change: what is newer than the generation says no less of the flows that there are.
 *
 * The file is a head and, for each pool with tracked slots, a head and three arrays: owners, bases, and since when. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"
#include "dataplane/snapshot/maglev.h"

#define FILE_NAME PROTOCOL_DIR "/slots"

enum { PLANES = 3 };

static const uint64_t magic = 0x73746f6c736d6474; /* "tdmslots" */

struct file_head {
	uint64_t magic;
	uint32_t version; /* L4_TABLES_VERSION */
	uint32_t n_pools;
};

struct pool_head {
	uint32_t id, n;
};

static bool is_tracked(const struct snapshot_pool *p)
{
	return p->slots && p->slots->n_tracked;
}

static bool write_pool(FILE *f, const struct snapshot_pool *p)
{
	const struct pool_head head = { p->id, p->slots->n };
	const uint16_t *const planes[PLANES] = { p->slots->owner, p->slots->base, p->slots->since };
	bool ok = fwrite(&head, sizeof head, 1, f) == 1;

	for (unsigned i = 0; i < PLANES && ok; i++)
		ok = fwrite(planes[i], sizeof *planes[i], head.n, f) == head.n;
	return ok;
}

static bool write_pools(FILE *f, const struct snapshot_input *in, uint32_t n_pools)
{
	const struct file_head head = { magic, L4_TABLES_VERSION, n_pools };
	bool ok = fwrite(&head, sizeof head, 1, f) == 1;

	for (uint32_t i = 0; i < in->n_pools && ok; i++)
		if (is_tracked(&in->pools[i]))
			ok = write_pool(f, &in->pools[i]);
	return ok;
}

static int replace(const char *run_dir, const struct snapshot_input *in, uint32_t n_pools)
{
	char path[DPDK_PATH], temp[DPDK_PATH];
	int rc = dpdk_link_path(path, sizeof path, run_dir, FILE_NAME);
	bool ok;
	FILE *f;

	if (!rc)
		rc = dpdk_link_path(temp, sizeof temp, run_dir, FILE_NAME ".new");
	if (rc)
		return rc;
	f = fopen(temp, "we");
	if (!f)
		return -errno;
	ok = write_pools(f, in, n_pools);
	ok = !fclose(f) && ok;
	if (ok && !rename(temp, path))
		return 0;
	rc = -errno;
	unlink(temp);
	return rc;
}

void dpdk_keep_slots(struct engine *en, const struct snapshot_input *in)
{
	struct dpdk *d = en->own;
	uint32_t n_pools = 0;
	int rc;

	for (uint32_t i = 0; i < in->n_pools; i++)
		n_pools += is_tracked(&in->pools[i]);
	if (!n_pools && d->none_kept)
		return;
	rc = replace(d->run_dir, in, n_pools);
	d->none_kept = !rc && !n_pools;
	if (rc)
		log_warn("cannot write %s/" FILE_NAME ": %s; should tandemd and tandem-dpdk die "
			 "together, flows whose server is changing may be broken",
			d->run_dir, strerror(-rc));
}

static int read_pool(FILE *f, snapshot_slots_fn *fn, void *arg)
{
	struct pool_head head;
	uint16_t *planes;
	int rc = -EINVAL;

	if (fread(&head, sizeof head, 1, f) != 1 || head.id > UINT16_MAX ||
		head.n > MAGLEV_MAX_SLOTS)
		return rc;
	planes = calloc((size_t)head.n * PLANES + 1, sizeof *planes);
	if (!planes)
		return -ENOMEM;
	if (fread(planes, sizeof *planes * PLANES, head.n, f) == head.n)
		rc = fn(arg, (uint16_t)head.id, head.n, planes, planes + head.n,
			planes + (size_t)2 * head.n);
	free(planes);
	return rc;
}

static int read_pools(FILE *f, snapshot_slots_fn *fn, void *arg)
{
	struct file_head head;
	int rc = 0;

	if (fread(&head, sizeof head, 1, f) != 1 || head.magic != magic ||
		head.version != L4_TABLES_VERSION)
		return -EINVAL;
	for (uint32_t i = 0; i < head.n_pools && !rc; i++)
		rc = read_pool(f, fn, arg);
	return rc;
}

int dpdk_kept_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg)
{
	const struct dpdk *d = en->own;
	char path[DPDK_PATH];
	int rc = dpdk_link_path(path, sizeof path, d->run_dir, FILE_NAME);
	FILE *f;

	if (rc)
		return rc;
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	rc = read_pools(f, fn, arg);
	fclose(f);
	return rc;
}

int dpdk_remove_slots(const char *run_dir)
{
	static const char *const names[] = { FILE_NAME, FILE_NAME ".new" };
	char path[DPDK_PATH];
	int rc = 0;

	for (unsigned i = 0; i < sizeof names / sizeof *names && !rc; i++) {
		rc = dpdk_link_path(path, sizeof path, run_dir, names[i]);
		if (!rc && unlink(path) && errno != ENOENT)
			rc = -errno;
	}
	return rc;
}
