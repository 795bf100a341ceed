/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/control_socket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS = CONTROL_SOCKET_PEERS, WANTS_A_TURN = 64, LEGS_A_TURN = 256 };

struct peer {
	int fd; /* -1: none */
	bool greeted, listens, captures, paused;
};

struct control_socket {
	struct core *core;
	struct control_owner owner; /* without a function: there is none */
	int fd;
	char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	struct peer peers[PEERS];
	struct protocol_ask ask;
	struct protocol_answer answer;
	struct protocol_told told;
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, path, strlen(path) + 1);
	return a;
}

/* Whether somebody answers at the address. */
static bool is_taken(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = fd >= 0 && !connect(fd, (const struct sockaddr *)a, sizeof *a);

	if (fd >= 0)
		close(fd);
	return taken;
}

static int listen_at(struct control_socket *t)
{
	struct sockaddr_un a = address_of(t->path);

	if (is_taken(&a))
		return -EADDRINUSE;
	t->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return -errno;
	unlink(t->path);
	if (bind(t->fd, (const struct sockaddr *)&a, sizeof a) || listen(t->fd, PEERS))
		return -errno;
	return 0;
}

int control_socket_open(struct control_socket **out, struct core *c, const char *dir,
	const struct control_owner *owner)
{
	struct control_socket *t = calloc(1, sizeof *t);
	int rc = -ENAMETOOLONG;

	if (!t)
		return -ENOMEM;
	t->core = c;
	if (owner)
		t->owner = *owner;
	t->fd = -1;
	for (unsigned i = 0; i < PEERS; i++)
		t->peers[i].fd = -1;
	if ((size_t)snprintf(t->path, sizeof t->path, "%s/socket", dir) < sizeof t->path)
		rc = listen_at(t);
	if (rc) {
		if (t->fd >= 0)
			close(t->fd);
		free(t);
		return rc;
	}
	*out = t;
	return 0;
}

/* A capture ends with who began it, and so does a pause. */
static void part_with(struct control_socket *t, struct peer *p)
{
	char why[PROTOCOL_WHY];

	if (p->captures)
		core_capture_end(t->core);
	if (p->paused)
		t->owner.order(t->owner.arg, PROTOCOL_RESUME, why);
	close(p->fd);
	*p = (struct peer){ .fd = -1 };
}

void control_socket_close(struct control_socket *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < PEERS; i++)
		if (t->peers[i].fd >= 0)
			part_with(t, &t->peers[i]);
	close(t->fd);
	unlink(t->path);
	free(t);
}

/* Nobody but this process' user may ask. */
static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) && who.uid == geteuid();
}

static void meet(struct control_socket *t)
{
	int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (unsigned i = 0; i < PEERS && may_ask(fd); i++)
		if (t->peers[i].fd < 0) {
			t->peers[i].fd = fd;
			return;
		}
	close(fd);
}

/* Receives a question and the file beside it, *file, -1: none. Returns its length; 0: the peer is gone; or a negative errno. */
static ssize_t receive(struct control_socket *t, const struct peer *p, int *file)
{
	char room[CMSG_SPACE(sizeof(int[PROTOCOL_FILES]))];
	struct iovec iov = { &t->ask, sizeof t->ask };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
	};
	ssize_t n = recvmsg(p->fd, &msg, MSG_CMSG_CLOEXEC);

	*file = -1;
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		int fds[PROTOCOL_FILES];
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), count * sizeof *fds);
		for (size_t i = 0; i < count; i++)
			if (*file < 0)
				*file = fds[i];
			else
				close(fds[i]);
	}
	return n;
}

static void send_answer(struct control_socket *t, struct peer *p, const int *files, unsigned n)
{
	char room[CMSG_SPACE(sizeof(int[PROTOCOL_FILES]))] = { 0 };
	struct iovec iov = { (void *)&t->answer, sizeof t->answer };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c = (struct cmsghdr *)room;

		msg.msg_control = room;
		msg.msg_controllen = CMSG_SPACE(n * sizeof *files);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof *files);
		memcpy(CMSG_DATA(c), files, n * sizeof *files);
	}
	if (sendmsg(p->fd, &msg, MSG_NOSIGNAL) < 0)
		part_with(t, p);
}

static void refuse(struct control_socket *t, int rc, const char *why)
{
	t->answer.rc = rc;
	snprintf(t->answer.why, sizeof t->answer.why, "%s", why);
}

static void greet(struct control_socket *t, struct peer *p)
{
	const struct core *c = t->core;
	struct protocol_hello *h = &t->answer.hello;
	int files[PROTOCOL_FILES];

	p->greeted = true;
	h->started_ns = c->started_ns;
	h->lines = c->limits.lines;
	h->chunks = c->limits.chunks;
	h->guard = c->limits.guard;
	h->routes = c->route_limit;
	h->workers = c->common.n_workers;
	h->n_ports = c->n_ports;
	memcpy(h->ports, c->ports, sizeof h->ports);
	if (c->generation) {
		h->generation = c->generation->sealed.generation;
		h->bank = c->generation->bank;
		files[0] = c->image_fd;
		files[1] = c->generation->area->fd;
	}
	send_answer(t, p, files, c->generation ? PROTOCOL_FILES : 0);
}

/* A file of a generation, or of routes. */
static void take_file(struct control_socket *t, int file,
	int (*take)(struct core *c, const struct core_file *f, const char **why))
{
	const struct core_file f = { file, t->ask.file.after, t->ask.file.bank };
	const char *why = "";
	int rc = -EINVAL;

	if (file < 0)
		why = "is missing beside the question";
	else if (f.bank >= STORE_BANKS)
		why = "names a bank of neighbours that there is not";
	else
		rc = take(t->core, &f, &why);
	if (rc)
		refuse(t, rc, why);
}

static void trace(struct control_socket *t)
{
	uint32_t len = t->ask.trace.len;
	int rc = -EMSGSIZE;

	if (len >= sizeof(struct l4_eth) && len <= PROTOCOL_FRAME)
		rc = core_trace(
			t->core, t->ask.trace.ifindex, t->ask.trace.frame, &t->answer.trace, len);
	if (rc)
		refuse(t, rc, "the frame is shorter than an Ethernet header or has no room");
}

static void capture(struct control_socket *t, struct peer *p)
{
	int rc = core_capture(t->core, &t->ask.capture);

	if (rc)
		refuse(t, rc, rc == -EBUSY ? "somebody is capturing already" : "out of memory");
	else
		p->captures = true;
}

static void end_capture(struct control_socket *t, struct peer *p)
{
	if (p->captures)
		core_capture_end(t->core);
	p->captures = false;
}

static void report(struct control_socket *t)
{
	core_status(t->core, &t->answer.status);
}

static void list_changes(struct control_socket *t)
{
	struct protocol_changes *l = &t->answer.changes;
	struct protocol_change behind;
	uint32_t i = t->ask.changes.first;

	while (l->n < PROTOCOL_LIST && t->owner.change(t->owner.arg, i, &l->list[l->n])) {
		l->n++;
		i++;
	}
	l->more = l->n == PROTOCOL_LIST && t->owner.change(t->owner.arg, i, &behind);
}

static bool is_order(uint32_t kind)
{
	return kind == PROTOCOL_TAKE || kind == PROTOCOL_GIVE || kind == PROTOCOL_PAUSE ||
	       kind == PROTOCOL_RESUME;
}

static void obey(struct control_socket *t, struct peer *p)
{
	enum protocol_kind kind = (enum protocol_kind)t->ask.kind;
	char why[PROTOCOL_WHY] = "";
	int rc = t->owner.order(t->owner.arg, kind, why);

	if (rc)
		refuse(t, rc, why);
	else if (kind == PROTOCOL_PAUSE || kind == PROTOCOL_RESUME)
		p->paused = kind == PROTOCOL_PAUSE;
}

static void answer(struct control_socket *t, struct peer *p, size_t len, int file)
{
	memset(&t->answer, 0, sizeof t->answer);
	t->answer.kind = t->ask.kind;
	if (len != sizeof t->ask || t->ask.version != PROTOCOL_VERSION)
		refuse(t, -EPROTO,
			"the control plane is of another version of tandem than the engine");
	else if (t->ask.kind == PROTOCOL_HELLO)
		return greet(t, p);
	else if (t->ask.kind == PROTOCOL_LISTEN)
		p->listens = true;
	else if (!p->greeted)
		refuse(t, -EPROTO, "the first question must be for what there is");
	else if (t->ask.kind == PROTOCOL_GENERATION)
		take_file(t, file, core_take_generation);
	else if (t->ask.kind == PROTOCOL_ROUTES)
		take_file(t, file, core_take_routes);
	else if (t->ask.kind == PROTOCOL_TRACE)
		trace(t);
	else if (t->ask.kind == PROTOCOL_CAPTURE)
		capture(t, p);
	else if (t->ask.kind == PROTOCOL_CAPTURE_END)
		end_capture(t, p);
	else if (t->ask.kind == PROTOCOL_STATUS)
		report(t);
	else if (is_order(t->ask.kind) && t->owner.order)
		obey(t, p);
	else if (t->ask.kind == PROTOCOL_CHANGES && t->owner.change)
		list_changes(t);
	else
		refuse(t, -EOPNOTSUPP, "the engine does not know the question");
	send_answer(t, p, NULL, 0);
}

static void serve(struct control_socket *t, struct peer *p)
{
	int file;
	ssize_t n = receive(t, p, &file);

	if (n > 0)
		answer(t, p, (size_t)n, file);
	else if (n != -EAGAIN)
		part_with(t, p);
	if (file >= 0)
		close(file);
}

/* To all that listen; who does not keep up misses some. Returns how many got it. */
static unsigned tell(struct control_socket *t, const struct protocol_told *told, size_t size)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PEERS; i++)
		if (t->peers[i].listens)
			n += send(t->peers[i].fd, told, size, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
	return n;
}

static void tell_wants(struct control_socket *t)
{
	struct protocol_told told = { .kind = PROTOCOL_WANT };

	for (unsigned i = 0; i < WANTS_A_TURN; i++) {
		if (rte_ring_sc_dequeue_elem(t->core->common.wants, &told.want, sizeof told.want))
			return;
		tell(t, &told, offsetof(struct protocol_told, want) + sizeof told.want);
	}
}

static void tell_legs(struct control_socket *t)
{
	struct core *c = t->core;
	struct protocol_told *told = &t->told;

	told->kind = PROTOCOL_LEG;
	for (unsigned i = 0; c->common.capture && i < LEGS_A_TURN; i++) {
		if (rte_ring_sc_dequeue_elem(c->capture.legs, &told->leg, sizeof told->leg))
			return;
		if (!tell(t, told, offsetof(struct protocol_told, leg.bytes) + told->leg.captured))
			c->capture_unsent++;
	}
}

void control_socket_tell_workers(struct control_socket *t)
{
	struct protocol_told *told = &t->told;

	told->kind = PROTOCOL_WORKERS_NOW;
	core_status(t->core, &told->status);
	tell(t, told, offsetof(struct protocol_told, status.workers[told->status.n_workers]));
}

void control_socket_fds(const struct control_socket *t, struct pollfd fds[CONTROL_SOCKET_FDS])
{
	fds[0] = (struct pollfd){ .fd = t->fd, .events = POLLIN };
	for (unsigned i = 0; i < PEERS; i++)
		fds[i + 1] = (struct pollfd){ .fd = t->peers[i].fd, .events = POLLIN };
}

void control_socket_serve(struct control_socket *t, const struct pollfd fds[CONTROL_SOCKET_FDS])
{
	for (unsigned i = 0; i < PEERS; i++)
		if (fds[i + 1].revents)
			serve(t, &t->peers[i]);
	if (fds[0].revents)
		meet(t);
}

void control_socket_tell(struct control_socket *t)
{
	tell_wants(t);
	tell_legs(t);
}

bool control_socket_has_news(const struct control_socket *t)
{
	const struct core *c = t->core;

	return !rte_ring_empty(c->common.wants) ||
	       (c->common.capture && !rte_ring_empty(c->capture.legs));
}
