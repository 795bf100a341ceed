/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine's process comes and goes: packets are served again once it is there with the tables that are mapped here, and
 * has been sent what it forgot. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"

/* From one attempt to the next; and so many times as long as the last one took, which kept the loop. */
enum { RETRY_MS = 100, RETRY_TIMES = 4 };

uint64_t dpdk_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void become(struct dpdk *d, enum engine_state state)
{
	d->state = state;
	d->since_ms = dpdk_now_us() / 1000;
}

static void retry_in(struct dpdk *d, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (d->retry)
		event_add(d->retry, &tv);
}

static void close_links(struct dpdk *d)
{
	dpdk_link_close(&d->link);
	dpdk_told_close(d);
	dpdk_workers_forget(d);
	d->sent.after = 0;
	d->routes.dirty = true;
}

void dpdk_lost(struct engine *en, const char *why)
{
	struct dpdk *d = en->own;

	close_links(d);
	if (d->state != ENGINE_SERVING)
		return;
	become(d, ENGINE_GONE);
	d->gaps++;
	log_warn("the DPDK engine is gone, and packets wait for it: %s", why);
	retry_in(d, RETRY_MS);
}

void dpdk_served(struct engine *en)
{
	struct dpdk *d = en->own;

	if (d->state == ENGINE_SERVING)
		return;
	d->last_gap_ms = (int64_t)(dpdk_now_us() / 1000 - d->since_ms);
	log_info("the DPDK engine is back after %" PRId64 " ms", d->last_gap_ms);
	become(d, ENGINE_SERVING);
	if (d->retry)
		event_del(d->retry);
	dpdk_capture_again(en);
}

int dpdk_ask(struct engine *en, struct protocol_ask *ask, int file, struct protocol_answer *answer,
	struct err *e)
{
	struct dpdk *d = en->own;
	struct err why = { 0 };
	int rc = dpdk_link_ask(&d->link, ask, file, answer, NULL, &why);

	if (rc)
		err_set(e, rc, "%s", why.text);
	if (d->link.fd < 0)
		dpdk_lost(en, why.text);
	return rc;
}

int dpdk_meet(struct engine *en, struct dpdk_files *files, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_HELLO };
	struct protocol_answer answer;
	struct dpdk *d = en->own;
	int rc;

	close_links(d);
	rc = dpdk_link_open(&d->link, d->run_dir, d->wait_ms, e);
	if (!rc)
		rc = dpdk_link_ask(&d->link, &ask, -1, &answer, files, e);
	if (rc)
		return rc;
	d->hello = answer.hello;
	return dpdk_told_open(en, e);
}

/* Nothing can be done by trying again. */
static int give_up(struct dpdk *d, int rc, const struct err *e)
{
	close_links(d);
	become(d, ENGINE_OTHER);
	log_error(
		"the DPDK engine has come back, but tandemd must be restarted to go on with it: %s",
		e->text);
	return rc;
}

static int check(struct dpdk *d, struct err *e)
{
	char dir[DPDK_PATH];
	int rc = dpdk_check_hello(d, &d->hello, e);

	if (!rc)
		rc = dpdk_link_path(dir, sizeof dir, d->run_dir, PROTOCOL_DIR);
	if (!rc && !store_is(&d->store, dir))
		rc = err_set(e, -ESTALE,
			"it has made new tables, since its limits or its version are others");
	return rc;
}

int dpdk_return(struct engine *en, struct err *e)
{
	struct dpdk *d = en->own;
	int rc;

	if (d->state == ENGINE_OTHER)
		return err_set(e, -ESTALE,
			"the DPDK engine that has come back is another one: restart tandemd");
	rc = dpdk_meet(en, NULL, e);
	if (rc == -EPROTO)
		return give_up(d, rc, e);
	if (rc) {
		close_links(d);
		return rc;
	}
	rc = check(d, e);
	if (rc)
		return give_up(d, rc, e);
	dpdk_learn_drivers(d);
	return 0;
}

static int resume(struct engine *en, struct err *e)
{
	struct dpdk *d = en->own;
	int rc = dpdk_return(en, e);

	if (rc)
		return rc;
	rc = dpdk_publish_again(en, e);
	if (!rc) {
		dpdk_served(en);
		dpdk_changes_learn(en);
	} else if (d->link.fd >= 0) {
		give_up(d, rc, e);
	}
	return rc;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct engine *en = arg;
	struct dpdk *d = en->own;
	uint64_t began = dpdk_now_us();
	struct err e;

	(void)fd;
	(void)what;
	if (d->state == ENGINE_GONE && resume(en, &e) && d->state == ENGINE_GONE)
		retry_in(d, RETRY_MS + (dpdk_now_us() - began) / 1000 * RETRY_TIMES);
}

int dpdk_return_open(struct engine *en)
{
	struct dpdk *d = en->own;

	if (!d->base)
		return 0;
	d->retry = event_new(d->base, -1, 0, on_retry, en);
	return d->retry ? 0 : -ENOMEM;
}

void dpdk_return_close(struct dpdk *d)
{
	close_links(d);
	if (d->retry)
		event_free(d->retry);
}

enum engine_state dpdk_state(const struct engine *en, uint64_t *since_ms)
{
	const struct dpdk *d = en->own;

	*since_ms = d->since_ms;
	return d->state;
}
