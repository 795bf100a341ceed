/* SPDX-License-Identifier: BSD-2-Clause */
/* What the DPDK engine has changed about its devices: it is asked for the list, part by part, when that may have become another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"

enum { CHANGES_MAX = 65536 };

static const enum engine_change_kind kinds[] = {
	[PROTOCOL_OFFLOAD] = ENGINE_OFFLOAD,
	[PROTOCOL_MAC] = ENGINE_MAC,
	[PROTOCOL_ALL_FRAMES] = ENGINE_ALL_FRAMES,
	[PROTOCOL_ALL_GROUPS] = ENGINE_ALL_GROUPS,
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int add(struct dpdk_changes *l, const struct protocol_change *c)
{
	struct engine_change *out;

	if (c->kind >= KINDS || !memchr(c->what, '\0', sizeof c->what))
		return -EPROTO;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct engine_change *list = reallocarray(l->list, room, sizeof *list);

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	out = &l->list[l->n++];
	*out = (struct engine_change){ .kind = kinds[c->kind], .ifindex = c->ifindex };
	memcpy(out->what, c->what, sizeof out->what);
	return 0;
}

/* Returns 1, there are more; 0, that was the last part; or a negative errno. */
static int add_part(struct dpdk_changes *l, const struct protocol_changes *part)
{
	int rc = part->n > PROTOCOL_LIST || (part->more && !part->n) ? -EPROTO : 0;

	for (uint32_t i = 0; i < part->n && !rc; i++)
		rc = l->n < CHANGES_MAX ? add(l, &part->list[i]) : -EPROTO;
	return rc ? rc : part->more != 0;
}

void dpdk_changes_learn(struct engine *en)
{
	struct dpdk *d = en->own;
	struct err e;
	int rc;

	d->changes.n = 0;
	do {
		struct protocol_ask ask = { .kind = PROTOCOL_CHANGES,
			.changes.first = (uint32_t)d->changes.n };
		struct protocol_answer answer;

		rc = dpdk_ask(en, &ask, -1, &answer, &e);
		if (rc)
			break;
		rc = add_part(&d->changes, &answer.changes);
		if (rc < 0)
			err_set(&e, rc, "%s",
				rc == -ENOMEM ? "out of memory" : "it says what cannot be");
	} while (rc > 0);
	if (!rc)
		return;
	d->changes.n = 0;
	log_warn("what the DPDK engine has changed about devices is not shown: %s", e.text);
}

const struct engine_change *dpdk_changes(const struct engine *en, size_t *n)
{
	const struct dpdk *d = en->own;

	*n = d->changes.n;
	return d->changes.list;
}
