/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/rig.h"
#include <errno.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/engine/dpdk_sizes.h"
#include "tests/packets/body_engine.h"
#include "tests/packets/setup.h"

enum { FRAMES = 2047, FRAME_ROOM = 4096, TURN_MS = 1 };

/* DPDK's own start, once in a process. It puts the calling thread on one processor, which that has not asked for. */
static int begin(struct err *e)
{
	static char words[][32] = { "rig", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "512", "--log-level=4" };
	static char *args[sizeof words / sizeof *words];
	static bool begun;
	cpu_set_t cpus;
	int rc;

	if (begun)
		return 0;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		args[i] = words[i];
	rc = pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus);
	if (rc || rte_eal_init((int)(sizeof words / sizeof *words), args) < 0)
		return err_set(e, -EIO, "DPDK does not start");
	begun = true;
	pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
	return 0;
}

static void *serve(void *arg)
{
	struct rig *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		struct pollfd fds[CONTROL_SOCKET_FDS];

		control_socket_fds(r->control, fds);
		if (poll(fds, CONTROL_SOCKET_FDS, TURN_MS) >= 0)
			control_socket_serve(r->control, fds);
		control_socket_tell(r->control);
	}
	return NULL;
}

static void add_ports(struct rig *r, const struct world *w)
{
	for (unsigned i = 0; i < w->n_links; i++) {
		struct protocol_port p = { .ifindex = setup_device(w, i), .driver = "net_ring" };
		unsigned k = 0;

		while (k < r->core.n_ports && r->core.ports[k].ifindex != p.ifindex)
			k++;
		if (k < r->core.n_ports)
			continue;
		memcpy(p.interface, w->links[i].name, sizeof p.interface);
		memcpy(p.mac, w->links[i].mac, sizeof p.mac);
		p.mtu = (uint16_t)w->links[i].mtu;
		core_add_port(&r->core, &p);
	}
}

static int take_order(void *arg, enum protocol_kind kind, char why[PROTOCOL_WHY])
{
	struct rig *r = arg;

	snprintf(why, PROTOCOL_WHY, "the rig has its ports");
	if (kind == PROTOCOL_TAKE || kind == PROTOCOL_GIVE)
		return -EALREADY;
	__atomic_store_n(&r->paused, kind == PROTOCOL_PAUSE, __ATOMIC_RELEASE);
	return 0;
}

/* As many as the test says, each other than the others. */
static bool tell_change(void *arg, uint32_t i, struct protocol_change *out)
{
	const struct rig *r = arg;

	*out = (struct protocol_change){ .ifindex = i + 1, .kind = i % 4 };
	snprintf(out->what, sizeof out->what, "change %" PRIu32, i);
	return i < __atomic_load_n(&r->changes, __ATOMIC_ACQUIRE);
}

static int open_core(struct rig *r, const struct world *w, unsigned workers, struct err *e)
{
	const struct control_owner owner = { take_order, tell_change, r };
	struct core_options o = { .frames = r->frames };
	const char *what = "";
	char dir[96];
	int rc;

	snprintf(dir, sizeof dir, "%s/" PROTOCOL_DIR, r->dir);
	if (mkdir(dir, 0700))
		return err_set(e, -errno, "cannot make %s: %s", dir, strerror(errno));
	o.dir = dir;
	dpdk_sizes(&w->conf->limits, workers, &o.sizes, &o.limits, &o.routes);
	r->is_open = true;
	rc = core_open(&r->core, &o, &what);
	if (rc)
		return err_set(e, rc, "cannot open the tables: %s: %s", what, strerror(-rc));
	add_ports(r, w);
	rc = control_socket_open(&r->control, &r->core, dir, &owner);
	if (rc)
		return err_set(e, rc, "cannot listen in %s: %s", dir, strerror(-rc));
	rc = pthread_create(&r->server, NULL, serve, r);
	r->serves = !rc;
	return rc ? err_set(e, -rc, "no thread: %s", strerror(rc)) : 0;
}

static int open_engine(struct rig *r, const struct world *w, struct err *e)
{
	struct engine_options o = {
		.type = CONF_ENGINE_DPDK,
		.run_dir = r->dir,
		.limits = &w->conf->limits,
		.n_links = w->n_links,
	};
	struct body_links links;
	bool adopted;
	int rc = body_links_make(&links, w);

	if (rc)
		err_set(e, rc, "out of memory");
	o.links = links.links;
	o.devices = links.devices;
	if (!rc)
		rc = engine_open(&r->engine, NULL, &o, &adopted, e);
	body_links_free(&links);
	return rc;
}

int rig_open(struct rig *r, const struct world *w, unsigned workers, struct err *e)
{
	static unsigned made; /* names are the process' */
	char name[32];
	int rc = begin(e);

	memset(r, 0, sizeof *r);
	if (rc)
		return rc;
	snprintf(r->dir, sizeof r->dir, "/tmp/tandem-rig-XXXXXX");
	if (!mkdtemp(r->dir))
		return err_set(e, -errno, "cannot make %s: %s", r->dir, strerror(errno));
	snprintf(name, sizeof name, "frames-%u", made++);
	r->frames = rte_pktmbuf_pool_create(name, FRAMES, 0, 0, FRAME_ROOM, SOCKET_ID_ANY);
	if (!r->frames)
		return err_set(e, -ENOMEM, "no memory for frames");
	rc = open_core(r, w, workers, e);
	if (!rc)
		rc = open_engine(r, w, e);
	return rc ? rc : body_engine_tell(r->engine, w, e);
}

int rig_reopen(struct rig *r, const struct world *w, struct err *e)
{
	engine_close(r->engine);
	r->engine = NULL;
	return open_engine(r, w, e);
}

void rig_online(struct rig *r, unsigned worker, bool online)
{
	if (online)
		rte_rcu_qsbr_thread_online(r->core.common.grace, worker);
	else
		rte_rcu_qsbr_thread_offline(r->core.common.grace, worker);
}

void rig_serve_no_more(struct rig *r)
{
	if (!r->serves)
		return;
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
	pthread_join(r->server, NULL);
	r->serves = false;
}

void rig_close(struct rig *r)
{
	char dir[96];

	engine_close(r->engine);
	rig_serve_no_more(r);
	control_socket_close(r->control);
	if (r->is_open)
		core_close(&r->core);
	rte_mempool_free(r->frames);
	snprintf(dir, sizeof dir, "%s/" PROTOCOL_DIR, r->dir);
	store_remove(dir);
	rmdir(dir);
	rmdir(r->dir);
}
