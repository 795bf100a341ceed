/* SPDX-License-Identifier: BSD-2-Clause */
/* Generations on their way to the DPDK engine: what is new since the last one; or all of it, for one that has none of ours. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/engine/dpdk_body.h"
#include "dataplane/snapshot/rings.h"

/* Rings that are being listed for a file that is whole in itself. */
struct ring_list {
	struct snapshot_ring *rings;
	uint32_t n, room;
	bool failed;
};

static void add_ring(void *arg, const struct ring *r)
{
	struct ring_list *l = arg;

	if (l->n == l->room) {
		uint32_t room = l->room ? l->room * 2 : 64;
		struct snapshot_ring *rings = reallocarray(l->rings, room, sizeof *rings);

		if (!rings) {
			l->failed = true;
			return;
		}
		l->rings = rings;
		l->room = room;
	}
	l->rings[l->n++] = (struct snapshot_ring){ r->chunk, r->chunks, r->slots };
}

static int send_file(struct engine *en, int fd, uint64_t after, struct err *e)
{
	struct dpdk *d = en->own;
	struct protocol_ask ask = { .kind = PROTOCOL_GENERATION,
		.file = { .after = after, .bank = d->bank } };
	struct protocol_answer answer;
	int rc = dpdk_ask(en, &ask, fd, &answer, e);

	close(fd);
	return rc;
}

/* The image with these rings and lines of lists. */
static int send_parts(struct engine *en, const struct snapshot *sn, struct guard_span span,
	uint64_t after, struct err *e)
{
	const struct sealed_guard guard = { en->tables.guard + span.first, span.first, span.n };
	int fd = sealed_write(sn, &guard);

	if (fd < 0)
		return err_set(
			e, fd, "cannot make the file for the DPDK engine: %s", strerror(-fd));
	return send_file(en, fd, after, e);
}

static uint64_t generation_of(const struct l4_line *image)
{
	struct l4_root root;

	memcpy(&root, image, sizeof root);
	return root.generation;
}

static int send_whole(struct engine *en, struct snapshot *sn, struct ring_list *l,
	struct guard_span span, struct err *e)
{
	int rc;

	sn->rings = l->rings;
	sn->n_rings = l->n;
	rc = l->failed ? err_set(e, -ENOMEM, "out of memory") : send_parts(en, sn, span, 0, e);
	free(l->rings);
	return rc;
}

static int send_next(
	struct engine *en, const struct snapshot *sn, struct guard_span fresh, struct err *e)
{
	const struct dpdk *d = en->own;
	struct snapshot whole = *sn;
	struct ring_list l = { 0 };
	int rc = dpdk_routes_send(en, e);

	if (rc)
		return rc;
	if (d->sent.after)
		return send_parts(en, sn, fresh, d->sent.after, e);
	ring_store_each_wanted(en->ring_store, add_ring, &l);
	return send_whole(en, &whole, &l, fresh.n ? fresh : guard_store_live(en->guard_store), e);
}

/* An engine that has another generation than we think, or has gone, is met anew; one that does not answer has been waited for
 * enough. */
static int send_to_who_is_there(
	struct engine *en, const struct snapshot *sn, struct guard_span fresh, struct err *e)
{
	struct dpdk *d = en->own;
	int rc = d->link.fd >= 0 ? send_next(en, sn, fresh, e) : -ENOTCONN;

	if (rc == -ESTALE && d->link.fd >= 0)
		dpdk_lost(en, "it has another generation than it was sent last");
	if (!rc || d->link.fd >= 0 || rc == -ETIMEDOUT)
		return rc;
	rc = dpdk_return(en, e);
	return rc ? rc : send_next(en, sn, fresh, e);
}

static int make_room(struct dpdk_sent *s, uint32_t lines)
{
	struct l4_line *image;

	if (s->room >= lines)
		return 0;
	image = reallocarray(s->image, lines, sizeof *image);
	if (!image)
		return -ENOMEM;
	s->image = image;
	s->room = lines;
	return 0;
}

int dpdk_publish(
	struct engine *en, const struct snapshot *sn, struct guard_span fresh, struct err *e)
{
	struct dpdk *d = en->own;
	int rc = make_room(&d->sent, sn->lines);

	if (!rc)
		rc = send_to_who_is_there(en, sn, fresh, e);
	if (rc)
		return rc;
	memcpy(d->sent.image, sn->image, sn->lines * sizeof *sn->image);
	d->sent.lines = sn->lines;
	d->sent.after = generation_of(sn->image);
	dpdk_forget_past(en);
	dpdk_served(en);
	dpdk_changes_learn(en);
	return 0;
}

int dpdk_publish_again(struct engine *en, struct err *e)
{
	struct dpdk *d = en->own;
	struct snapshot sn = { .image = d->sent.image, .lines = d->sent.lines };
	struct ring_list l = { 0 };
	int rc;

	if (!sn.lines)
		return 0;
	rc = dpdk_routes_send(en, e);
	if (rc)
		return rc;
	ring_store_each_live(en->ring_store, add_ring, &l);
	rc = send_whole(en, &sn, &l, guard_store_live(en->guard_store), e);
	if (!rc)
		d->sent.after = generation_of(sn.image);
	return rc;
}

bool dpdk_line(const struct engine *en, uint32_t line, void *out)
{
	const struct dpdk *d = en->own;

	if (line >= d->sent.lines)
		return false;
	memcpy(out, &d->sent.image[line], sizeof *d->sent.image);
	return true;
}
