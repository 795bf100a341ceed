/* SPDX-License-Identifier: BSD-2-Clause */
/* The next generation: compiled, given to the body, and then what was or was not published is settled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/engine/body.h"

/* The neighbour row of every member's next hop. Most are what they were. */
static int resolve_hops(struct engine *en, const struct snapshot_input *in, uint32_t *rows)
{
	for (uint32_t i = 0; i < in->n_members; i++) {
		const struct snapshot_member *m = &in->members[i];
		struct addr hop = { .af = m->hop_af };
		int rc;

		rows[i] = i < en->n_hop_rows ? en->hop_rows[i] : L4_NO_NEIGHBOUR;
		memcpy(hop.bytes, m->hop_bytes, sizeof hop.bytes);
		rc = m->hop_ifindex
			     ? neighbours_get_again(en->neighbours, m->hop_ifindex, &hop, &rows[i])
			     : -ENODEV;
		if (rc == -ENODEV)
			rows[i] = L4_NO_NEIGHBOUR;
		else if (rc)
			return rc;
		else
			neighbours_mark(en->neighbours, rows[i]);
	}
	return 0;
}

static int publish_error(int rc, const char *what, struct err *e)
{
	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table for %s is full; raise limits.%s and restart tandemd "
			"(packets keep flowing meanwhile)",
			what, what);
	if (rc == -ENOMEM)
		return err_set(
			e, rc, "no memory for the next snapshot; packets flow on by the last one");
	return err_set(e, rc, "cannot publish the snapshot: %s", strerror(-rc));
}

static int take_lists(struct engine *en, const struct snapshot_input *in, const char **what)
{
	*what = "guard_prefixes";
	return guard_store_take(en->guard_store, in);
}

static int compile(
	struct engine *en, const struct snapshot_input *in, struct snapshot **sn, const char **what)
{
	uint32_t *rows = calloc(in->n_members + 1u, sizeof *rows);
	int rc = -ENOMEM;

	*what = "neighbours";
	if (rows)
		rc = resolve_hops(en, in, rows);
	if (!rc)
		rc = take_lists(en, in, what);
	if (!rc)
		rc = snapshot_build(en->ring_store, en->guard_store, in, rows, en->generation + 1,
			en->image_lines, sn, what);
	free(en->hop_rows);
	en->hop_rows = rows;
	en->n_hop_rows = rows ? in->n_members : 0;
	return rc;
}

static void settle(struct engine *en, struct snapshot *sn, bool published)
{
	neighbours_settle(en->neighbours, published);
	if (published) {
		snapshot_commit(en->ring_store, sn);
		guard_store_commit(en->guard_store);
		return;
	}
	if (sn)
		snapshot_abort(en->ring_store, sn);
	guard_store_abort(en->guard_store);
}

static int publish(struct engine *en, const struct snapshot_input *in, struct err *e)
{
	const char *what = "";
	struct snapshot *sn = NULL;
	struct err why = { 0 };
	int rc = engine_learn_ports(en, in);

	if (!rc)
		rc = compile(en, in, &sn, &what);
	if (!rc && en->body->keep_slots)
		en->body->keep_slots(en, in);
	if (!rc)
		rc = en->body->publish(en, sn, guard_store_fresh(en->guard_store), &why);
	settle(en, sn, !rc);
	if (rc)
		return why.text[0] ? err_set(e, rc, "%s", why.text) : publish_error(rc, what, e);
	en->generation++;
	if (en->attached)
		return 0;
	rc = en->body->attach(en, e);
	en->attached = !rc;
	return rc;
}

int engine_publish(struct engine *en, const struct snapshot_input *in, struct err *e)
{
	struct engine_own_input own;
	int rc = engine_own_input(en, in, &own);

	if (rc)
		return publish_error(rc, "", e);
	rc = publish(en, &own.in, e);
	engine_own_input_free(&own);
	return rc;
}
