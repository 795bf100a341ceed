/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/daemon.h"
#include <errno.h>
#include <rte_eal.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "apps/shared/notify.h"
#include "apps/tandem-dpdk/changes.h"
#include "apps/tandem-dpdk/front.h"
#include "apps/tandem-dpdk/host_path.h"
#include "apps/tandem-dpdk/shape.h"
#include "apps/tandem-dpdk/start.h"
#include "apps/tandem-dpdk/workers.h"
#include "bpf/serving.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_sizes.h"
#include "dataplane/dpdk/control_socket.h"
#include "dataplane/dpdk/frames.h"
#include "dataplane/dpdk/slow_path.h"
#include "dataplane/dpdk/vhost_io.h"
#include "dataplane/l4/limit.h"

enum {
	TICK_MS = 50,	  /* coarse time goes on */
	DEVICES_MS = 500, /* their carriers, and what they stand on */
	IN_FLIGHT = 2048  /* frames of a worker: handed over to it, and in bursts */
};

enum { FD_SIGNAL, FD_BELL, FD_CONTROL, FD_TAPS = FD_CONTROL + CONTROL_SOCKET_FDS };

struct daemon {
	const struct conf *conf;
	const char *run_dir;
	char dir[FRONT_PATH]; /* of tables and the socket */
	int signals;
	struct workers workers;
	unsigned n_fronts;
	struct front *fronts;
	struct shape shape;
	struct rte_mempool *frames;
	struct bell bell;
	bool core_is_open;
	struct core core;
	struct slow_path *slow_path;
	struct control_socket *control;
	bool serves; /* it has the interfaces */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Before there are other threads, which are not to take them. */
static int hold_signals(struct daemon *d, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->signals < 0 || d->bell.fd < 0)
		return err_set(e, -errno, "cannot watch signals: %s", strerror(errno));
	return 0;
}

static int make_dir(struct daemon *d, struct err *e)
{
	struct stat st;
	int rc;

	front_dir(d->dir, d->run_dir);
	if ((mkdir(d->dir, 0700) && errno != EEXIST) || stat(d->dir, &st))
		rc = -errno;
	else if (!S_ISDIR(st.st_mode))
		rc = -ENOTDIR;
	else
		return 0;
	err_set(e, rc, "cannot make %s: %s", d->dir, strerror(-rc));
	*d->dir = '\0'; /* there is nothing to be put back */
	return rc;
}

static int take_fronts(struct daemon *d, struct err *e)
{
	int rc = 0;

	if (d->conf->n_interfaces > WORKER_PORTS)
		return err_set(e, -E2BIG, "the engine has room for %d interfaces, and there are %u",
			WORKER_PORTS, d->conf->n_interfaces);
	d->fronts = calloc(d->conf->n_interfaces, sizeof *d->fronts);
	if (!d->fronts)
		return err_set(e, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < d->conf->n_interfaces && !rc; i++)
		rc = front_open(&d->fronts[d->n_fronts++], d->conf, i, d->run_dir, d->workers.n, e);
	return rc;
}

/* As many as can be anywhere at a time. */
static int make_frames(struct daemon *d, struct err *e)
{
	unsigned n = d->workers.n * IN_FLIGHT, threads = d->workers.n + 1;
	uint32_t room = 0;
	bool pages = false;
	int rc;

	for (unsigned i = 0; i < d->n_fronts; i++) {
		n += port_frames(&d->fronts[i].port) + slow_path_frames(d->workers.n);
		room = RTE_MAX(room, d->fronts[i].port.room);
		pages = pages || d->fronts[i].port.pages;
	}
	n += threads * FRAMES_CACHE * 3 / 2;
	d->frames = frames_new(n, room, pages, &rc);
	if (rc == -EMSGSIZE)
		return err_set(e, rc,
			"frames have %u bytes at most, headroom included, while an interface has XDP sockets, and another "
			"needs %u: lower its MTU, or write driver = \"af_packet\";",
			frames_page_room(), room);
	if (rc)
		return err_set(e, rc,
			"there is no memory for %u frames of %u bytes: give the engine more "
			"(\"engine.dpdk.memory\")",
			n, pages ? (unsigned)getpagesize() : room);
	d->core.frames = d->frames;
	return 0;
}

/* Of struct core_follower. */
static void follow(void *arg, const struct sealed *now, const struct sealed *next)
{
	struct daemon *d = arg;

	if (d->serves)
		shape_follow(&d->shape, now, next);
}

static int open_core(struct daemon *d, struct err *e)
{
	struct core_options o = { .dir = d->dir };
	const char *what = "";
	int rc;

	dpdk_sizes(&d->conf->limits, d->workers.n, &o.sizes, &o.limits, &o.routes);
	rc = core_open(&d->core, &o, &what);
	d->core_is_open = true;
	d->core.common.bell = &d->bell;
	d->core.follower = (struct core_follower){ follow, d };
	return rc ? err_set(e, rc, "cannot open the table %s in %s: %s", what, d->dir,
			    strerror(-rc))
		  : 0;
}

/* The ways between its ports and the host's stack. */
static int open_host(struct daemon *d, struct front_host *o, struct err *e)
{
	enum conf_host_path wanted = d->conf->engine.dpdk.host_path;
	int rc = host_path_choose(wanted, vhost_io_check(), e);

	if (rc < 0)
		return rc;
	*o = (struct front_host){ (enum conf_host_path)rc, wanted == CONF_HOST_PATH_VHOST,
		d->frames, 0 };
	for (unsigned i = 0; i < d->n_fronts; i++)
		o->room = RTE_MAX(o->room, d->fronts[i].port.room - RTE_PKTMBUF_HEADROOM);
	rc = slow_path_open(&d->slow_path, &d->core);
	return rc ? err_set(e, rc, "out of memory") : 0;
}

static int start_front(struct daemon *d, unsigned number, const struct front_host *o, struct err *e)
{
	struct front *f = &d->fronts[number];
	int rc = front_open_host(f, o, e);

	if (!rc)
		rc = front_start(f, &d->core, d->frames, e);
	if (rc)
		return rc;
	rc = slow_path_join(d->slow_path, number, f->host);
	return rc ? err_set(e, rc, "out of memory") : 0;
}

static int start_fronts(struct daemon *d, struct err *e)
{
	struct front_host host;
	int rc = open_host(d, &host, e);

	for (unsigned i = 0; i < d->n_fronts && !rc; i++)
		rc = start_front(d, i, &host, e);
	if (rc)
		return rc;
	rc = changes_adopt(d->fronts, d->n_fronts, d->run_dir, d->dir, e);
	return rc ? rc : shape_begin(&d->shape, d->fronts, d->n_fronts, d->dir, e);
}

static void set_time(struct daemon *d)
{
	core_set_time(&d->core, (uint16_t)(now_ns() >> L4_TIME_SHIFT));
}

static int start_workers(struct daemon *d, struct err *e)
{
	bool adaptive = d->conf->engine.dpdk.polling == CONF_POLLING_ADAPTIVE;

	set_time(d);
	return workers_start(&d->workers, &d->core, d->fronts, d->n_fronts, adaptive, e);
}

static int take(struct daemon *d, struct err *e)
{
	int rc = take_fronts(d, e);

	if (!rc)
		rc = make_frames(d, e);
	if (!rc)
		rc = start_fronts(d, e);
	if (!rc)
		rc = start_workers(d, e);
	d->serves = !rc;
	for (unsigned i = 0; i < d->n_fronts && !rc; i++)
		front_tell(&d->fronts[i]);
	return rc;
}

/* All that take() has got hold of, whether or not it came to its end. Returns the first error, and its sentence. */
static int give(struct daemon *d, struct err *e)
{
	struct err own;
	int first = 0;

	workers_stop(&d->workers);
	shape_end(&d->shape);
	for (unsigned i = 0; i < d->n_fronts; i++) {
		int rc = front_give_back(&d->fronts[i], first ? &own : e);

		first = first ? first : rc;
	}
	slow_path_close(d->slow_path);
	if (d->core_is_open)
		core_leave_ports(&d->core);
	rte_mempool_free(d->frames);
	free(d->fronts);
	d->slow_path = NULL;
	d->frames = NULL;
	d->fronts = NULL;
	d->n_fronts = 0;
	d->serves = false;
	return first;
}

/* The XDP engine has the devices: what was changed about them is for its sake too. */
static int give_up(struct daemon *d, struct err *e)
{
	struct err own;
	int rc, given;

	workers_stop(&d->workers);
	rc = changes_leave(d->fronts, d->n_fronts, d->dir, d->run_dir, e);
	given = give(d, rc ? &own : e);
	return rc ? rc : given;
}

static int take_or_undo(struct daemon *d, struct err *e)
{
	struct err own;
	int rc;

	if (d->serves)
		return err_set(e, -EALREADY, "it has the interfaces already");
	if (d->conf->engine.dpdk.driver == CONF_DPDK_AF_XDP)
		return err_set(e, -EBUSY,
			"engine.dpdk.driver = \"af_xdp\" needs interfaces without the XDP engine's "
			"programs: detach that first");
	rc = take(d, e);
	if (rc)
		give_up(d, &own);
	return rc;
}

/* Of flows that the XDP engine goes on with: what this one does not know of them yet, or would begin, is not for it. */
static void drop_waiting(struct daemon *d)
{
	for (unsigned i = 0; i < d->n_fronts; i++)
		port_drop_waiting(&d->fronts[i].port);
	core_drop_waiting(&d->core);
}

/* Programs that were about to leave packets to this engine when their process ended take them again. */
static void have_taken_back(const struct daemon *d)
{
	int rc = serving_take_back(d->run_dir);

	if (rc)
		log_error("the XDP engine cannot take packets again: %s", strerror(-rc));
}

/* Also when who asked for the pause has ended. */
static int resume(struct daemon *d, struct err *e)
{
	have_taken_back(d);
	if (!d->serves || d->workers.running)
		return 0;
	if (serving_links(d->run_dir) > 0)
		drop_waiting(d);
	return start_workers(d, e);
}

/* Of struct control_owner. */
static int order(void *arg, enum protocol_kind kind, char why[PROTOCOL_WHY])
{
	struct daemon *d = arg;
	struct err e = { "" };
	int rc = 0;

	if (kind == PROTOCOL_TAKE)
		rc = take_or_undo(d, &e);
	else if (kind == PROTOCOL_GIVE)
		rc = give_up(d, &e);
	else if (kind == PROTOCOL_PAUSE)
		workers_stop(&d->workers);
	else
		rc = resume(d, &e);
	if (kind == PROTOCOL_TAKE || kind == PROTOCOL_GIVE)
		log_info("%s", d->serves ? "interfaces are taken over" : "the engine stands by");
	if (rc)
		log_error("%s", e.text);
	snprintf(why, PROTOCOL_WHY, "%.*s", PROTOCOL_WHY - 1, e.text);
	return rc;
}

/* Of struct control_owner. */
static bool change(void *arg, uint32_t i, struct protocol_change *out)
{
	const struct daemon *d = arg;

	return shape_change(&d->shape, i, out);
}

static int open_control(struct daemon *d, struct err *e)
{
	const struct control_owner owner = { order, change, d };
	int rc = control_socket_open(&d->control, &d->core, d->dir, &owner);

	return rc ? err_set(e, rc, "cannot listen at %s/socket: %s", d->dir, strerror(-rc)) : 0;
}

/* Whatever an engine before had taken over is the host's again, and the XDP engine serves as if there had been none. Programs that only
 * pass packets are no reason for that: they were left before an engine that served. */
static int stand_by(struct daemon *d, unsigned interfaces, struct err *e)
{
	int rc = front_give_back_all(d->run_dir, e);

	if (rc < 0)
		return rc;
	log_info(
		"the XDP engine has %u interface%s: this one stands by until tandemd is told to change "
		"over (tandemctl config apply)",
		interfaces, interfaces == 1 ? "" : "s");
	return 0;
}

static int bring_up(struct daemon *d, struct err *e)
{
	int rc = hold_signals(d, e), links;

	if (!rc)
		rc = make_dir(d, e);
	if (!rc) {
		rc = start_eal(d->conf, d->run_dir, e);
		d->workers.n = rc > 0 ? (unsigned)rc : 0;
		rc = rc > 0 ? open_core(d, e) : rc;
	}
	if (rc)
		return rc;
	have_taken_back(d);
	links = serving_links(d->run_dir);
	rc = links > 0 ? stand_by(d, (unsigned)links, e) : take(d, e);
	return rc ? rc : open_control(d, e);
}

static void take_down(struct daemon *d)
{
	struct err e;

	workers_stop(&d->workers);
	control_socket_close(d->control);
	if (*d->dir && nic_restore(d->dir, &e))
		log_error("%s", e.text);
	if (give(d, &e))
		log_error("%s", e.text);
	if (d->core_is_open)
		core_close(&d->core);
	if (d->workers.n)
		rte_eal_cleanup();
	close(d->signals);
	close(d->bell.fd);
}

/* Returns the signal, or 0: there was none. */
static int read_signal(const struct daemon *d)
{
	struct signalfd_siginfo s;

	return read(d->signals, &s, sizeof s) == sizeof s ? (int)s.ssi_signo : 0;
}

/* How long to wait, at most: not at all while workers have left something. The last look is after the bell was set. */
static int pause_ms(struct daemon *d)
{
	bell_sleep(&d->bell);
	return (d->slow_path && slow_path_has_frames(d->slow_path)) ||
			       control_socket_has_news(d->control)
		       ? 0
		       : TICK_MS;
}

/* Everything at most every so many milliseconds. */
static void tick(struct daemon *d)
{
	static uint64_t last, last_devices, last_workers;
	uint64_t now = now_ns() / 1000000;

	if (now - last < TICK_MS)
		return;
	last = now;
	set_time(d);
	if (now - last_workers >= PROTOCOL_WORKERS_MS) {
		last_workers = now;
		control_socket_tell_workers(d->control);
	}
	if (now - last_devices < DEVICES_MS)
		return;
	last_devices = now;
	for (unsigned i = 0; i < d->n_fronts; i++)
		front_mirror(&d->fronts[i]);
	shape_look(&d->shape);
}

/* One turn: each has its budget, so that none keeps the others waiting. Returns a signal, 0, or a negative errno. */
static int turn(struct daemon *d)
{
	struct pollfd fds[FD_TAPS + WORKER_PORTS];
	struct slow_path *s = d->slow_path;
	unsigned n;

	tick(d);
	fds[FD_SIGNAL] = (struct pollfd){ .fd = d->signals, .events = POLLIN };
	fds[FD_BELL] = (struct pollfd){ .fd = d->bell.fd, .events = POLLIN };
	control_socket_fds(d->control, fds + FD_CONTROL);
	n = FD_TAPS + (s ? slow_path_fds(s, fds + FD_TAPS) : 0);
	if (poll(fds, n, pause_ms(d)) < 0 && errno != EINTR)
		return -errno;
	bell_wake(&d->bell, fds[FD_BELL].revents != 0);
	if (s) {
		slow_path_from_host(s, fds + FD_TAPS);
		slow_path_to_host(s);
	}
	control_socket_tell(d->control);
	control_socket_serve(
		d->control, fds + FD_CONTROL); /* which may end all that was waited for */
	return fds[FD_SIGNAL].revents ? read_signal(d) : 0;
}

int daemon_run(const struct args *a, const struct conf *c)
{
	static struct daemon daemon;
	struct daemon *d = &daemon;
	struct err e;
	int rc;

	*d = (struct daemon){ .conf = c, .run_dir = a->run_dir, .signals = -1, .bell.fd = -1 };
	rc = bring_up(d, &e);
	if (rc) {
		log_error("%s", e.text);
		take_down(d);
		return 1;
	}
	log_info("tandem-dpdk %s is up on %s with %u worker%s", TANDEM_VERSION, a->config,
		d->workers.n, d->workers.n == 1 ? "" : "s");
	notify("READY=1");
	while (!rc)
		rc = turn(d);
	notify("STOPPING=1");
	if (rc > 0)
		log_info("stopped by %s; interfaces go back to the host", strsignal(rc));
	else
		log_error("the event loop has failed: %s", strerror(-rc));
	take_down(d);
	return rc > 0 ? 0 : 1;
}
