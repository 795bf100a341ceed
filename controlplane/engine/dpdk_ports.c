/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has the interfaces: the DPDK engine's process, or the host, while that stands by. And packets that wait, or do not. */
#include <errno.h>
#include <stdlib.h>
#include "controlplane/engine/dpdk_body.h"

enum {
	READY_MS = 5000,
	TAKE_MS = 60000 /* of devices that are slow, one after the other */
};

/* Asks the process, by a connection of its own. Returns 0, or a negative errno and a sentence. */
static int ask_apart(const char *run_dir, enum protocol_kind kind, unsigned wait_ms,
	struct protocol_answer *answer, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_HELLO };
	struct dpdk_files files = { .fd = { -1, -1 } };
	struct dpdk_link l = { -1 };
	int rc = dpdk_link_open(&l, run_dir, wait_ms, e);

	if (!rc)
		rc = dpdk_link_ask(&l, &ask, -1, answer, &files, e);
	if (!rc && kind != PROTOCOL_HELLO) {
		ask.kind = kind;
		rc = dpdk_link_ask(&l, &ask, -1, answer, NULL, e);
	}
	dpdk_files_close(&files);
	dpdk_link_close(&l);
	return rc;
}

int dpdk_count_ports(const char *run_dir, unsigned wait_ms, struct err *e)
{
	struct protocol_answer answer;
	int rc = ask_apart(run_dir, PROTOCOL_HELLO, wait_ms, &answer, e);

	return rc ? rc : (int)answer.hello.n_ports;
}

bool dpdk_holds(const char *run_dir)
{
	struct err e;

	/* It may be taking them, or giving them back, for a process that has been killed. */
	return dpdk_count_ports(run_dir, TAKE_MS, &e) > 0;
}

static int look(
	struct dpdk *d, const struct engine *en, const struct engine_options *o, struct err *e)
{
	struct protocol_answer answer;
	int rc;

	d->run_dir = (char *)o->run_dir;
	dpdk_need(d, en, o);
	rc = ask_apart(o->run_dir, PROTOCOL_HELLO, READY_MS, &answer, e);
	if (!rc)
		rc = dpdk_check_room(&d->needs, &answer.hello, e);
	if (!rc)
		rc = dpdk_join_store(d, e);
	store_close(&d->store);
	return rc;
}

int dpdk_ready(const struct engine *en, const struct engine_options *o, struct err *e)
{
	struct dpdk *d = calloc(1, sizeof *d);
	int rc = d ? look(d, en, o, e) : err_set(e, -ENOMEM, "out of memory");

	free(d);
	return rc;
}

int dpdk_take(const char *run_dir, struct err *e)
{
	struct protocol_answer answer;

	return ask_apart(run_dir, PROTOCOL_TAKE, TAKE_MS, &answer, e);
}

int dpdk_give(const char *run_dir, struct err *e)
{
	struct protocol_answer answer;

	return ask_apart(run_dir, PROTOCOL_GIVE, TAKE_MS, &answer, e);
}

int dpdk_yield(struct engine *en, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_PAUSE };
	struct protocol_answer answer;

	return dpdk_ask(en, &ask, -1, &answer, e);
}

int dpdk_resume(struct engine *en, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_RESUME };
	struct protocol_answer answer;

	return dpdk_ask(en, &ask, -1, &answer, e);
}
