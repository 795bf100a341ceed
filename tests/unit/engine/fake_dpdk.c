/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/engine/fake_dpdk.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "dataplane/snapshot/routes.h"
#include "dataplane/snapshot/sealed.h"

/* Nothing here fails but for what the machine lacks. */
static void must(bool good)
{
	if (!good)
		abort();
}

void fake_init(struct fake_dpdk *f)
{
	*f = (struct fake_dpdk){ .told = -1, .generation_file = -1, .rings_file = -1 };
	must(!pthread_mutex_init(&f->lock, NULL));
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void fake_forget(struct fake_dpdk *f)
{
	f->hello.generation = 0;
	f->hello.bank = 0;
	close_file(&f->generation_file);
	close_file(&f->rings_file);
	if (f->rings)
		munmap(f->rings, f->hello.chunks * sizeof *f->rings);
	f->rings = NULL;
}

void fake_free(struct fake_dpdk *f)
{
	fake_forget(f);
	pthread_mutex_destroy(&f->lock);
}

static void put_rings(struct fake_dpdk *f, const struct sealed *s)
{
	const struct l4_chunk *from = s->chunks;
	size_t size = f->hello.chunks * sizeof *f->rings;

	if (!f->rings) {
		f->rings_file = memfd_create("rings", MFD_CLOEXEC);
		must(f->rings_file >= 0 && !ftruncate(f->rings_file, (off_t)size));
		f->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->rings_file, 0);
		must(f->rings != MAP_FAILED);
	}
	for (uint32_t i = 0; i < s->n_rings; i++) {
		memcpy(&f->rings[s->rings[i].chunk], from, s->rings[i].chunks * sizeof *from);
		from += s->rings[i].chunks;
	}
}

static int take_generation(struct fake_dpdk *f, struct fake_asked *a, int file)
{
	const struct sealed_limits limits = { f->hello.lines, f->hello.chunks, f->hello.guard };
	struct sealed s;
	const char *why;
	int rc;

	if (a->after && a->after != f->hello.generation)
		return -ESTALE;
	rc = sealed_read(&s, file, &limits, &why);
	if (rc)
		return rc;
	a->generation = s.generation;
	a->n_rings = s.n_rings;
	a->n_guard = s.guard.n;
	a->guard_first = s.guard.first;
	for (uint32_t i = 0; i < s.n_rings; i++)
		a->n_chunks += s.rings[i].chunks;
	put_rings(f, &s);
	sealed_free(&s);
	close_file(&f->generation_file);
	f->generation_file = dup(file);
	f->hello.generation = a->generation;
	f->hello.bank = a->bank;
	return 0;
}

static int take_routes(struct fake_asked *a, int file)
{
	struct route_table t;
	const char *why;
	int rc = routes_read(&t, file, 1 << 20, &why);

	if (rc)
		return rc;
	a->n_routes = t.n_routes;
	routes_unread(&t);
	return 0;
}

/* Returns how long the answer is. */
static size_t answer_to(struct fake_dpdk *f, int fd, const struct protocol_ask *ask, int file,
	struct protocol_answer *answer)
{
	struct fake_asked *a = &f->asked[f->n_asked++ % FAKE_ASKED];

	*a = (struct fake_asked){ .kind = ask->kind };
	*answer = (struct protocol_answer){ .kind = ask->kind };
	if (ask->kind == PROTOCOL_GENERATION || ask->kind == PROTOCOL_ROUTES) {
		a->after = ask->file.after;
		a->bank = ask->file.bank;
	}
	switch (ask->kind) {
	case PROTOCOL_HELLO:
		answer->hello = f->hello;
		return offsetof(struct protocol_answer, hello) + sizeof answer->hello;
	case PROTOCOL_GENERATION:
		answer->rc = take_generation(f, a, file);
		break;
	case PROTOCOL_ROUTES:
		answer->rc = take_routes(a, file);
		break;
	case PROTOCOL_TRACE:
		answer->trace = f->traced;
		answer->trace.len = ask->trace.len;
		memcpy(answer->trace.frame, ask->trace.frame, ask->trace.len);
		return offsetof(struct protocol_answer, trace) + sizeof answer->trace;
	case PROTOCOL_CAPTURE:
		a->filter = ask->capture;
		break;
	case PROTOCOL_STATUS:
		answer->status.capture_lost = f->capture_lost;
		return offsetof(struct protocol_answer, status) + sizeof answer->status;
	case PROTOCOL_CHANGES:
		a->first = ask->changes.first;
		answer->changes = f->changes[f->changes[0].more && a->first ? 1 : 0];
		return offsetof(struct protocol_answer, changes) + sizeof answer->changes;
	case PROTOCOL_LISTEN:
		f->told = fd;
		break;
	}
	return offsetof(struct protocol_answer, hello);
}

static void send_answer(int fd, const void *bytes, size_t size, const int *files, unsigned n)
{
	struct iovec iov = { (void *)bytes, size };
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n * sizeof *files);
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(n * sizeof *files) };
		memcpy(CMSG_DATA(&control.head), files, n * sizeof *files);
	}
	(void)!sendmsg(fd, &m, MSG_NOSIGNAL);
}

static bool has_fault(struct fake_dpdk *f, uint32_t kind)
{
	if (!f->faults || f->fault_kind != kind)
		return false;
	f->faults--;
	return true;
}

/* False: the connection is to be closed. */
static bool answer_badly(struct fake_dpdk *f, int fd, const struct protocol_ask *ask, int file)
{
	static uint8_t bytes[sizeof(struct protocol_answer) + 1];
	struct protocol_answer *a = (struct protocol_answer *)bytes;
	const int files[4] = { fd, fd, fd, fd };
	size_t size;

	if (f->fault == FAKE_CLOSES || f->fault == FAKE_SILENT) {
		f->asked[f->n_asked++ % FAKE_ASKED].kind = ask->kind;
		return f->fault == FAKE_SILENT;
	}
	if (f->fault == FAKE_REFUSES) {
		f->asked[f->n_asked++ % FAKE_ASKED].kind = ask->kind;
		*a = (struct protocol_answer){ .rc = f->refusal, .kind = ask->kind };
		snprintf(a->why, sizeof a->why, "it does not like it");
		size = offsetof(struct protocol_answer, hello);
	} else {
		size = answer_to(f, fd, ask, file, a);
	}
	if (f->fault == FAKE_SHORT)
		size--;
	if (f->fault == FAKE_LONG)
		size = sizeof bytes;
	if (f->fault == FAKE_OTHER_KIND)
		a->kind++;
	if (f->fault == FAKE_POSITIVE)
		a->rc = 1;
	send_answer(fd, bytes, size, files, f->fault == FAKE_REFUSES ? 2 : 4);
	return true;
}

static bool answer(struct fake_dpdk *f, int fd, const struct protocol_ask *ask, int file)
{
	struct protocol_answer a;
	size_t size;

	if (has_fault(f, ask->kind))
		return answer_badly(f, fd, ask, file);
	if (ask->version != PROTOCOL_VERSION) {
		a = (struct protocol_answer){ .rc = -EPROTO, .kind = ask->kind };
		send_answer(fd, &a, offsetof(struct protocol_answer, hello), NULL, 0);
		return false;
	}
	size = answer_to(f, fd, ask, file, &a);
	if (ask->kind == PROTOCOL_HELLO && f->hello.generation) {
		const int files[2] = { f->generation_file, f->rings_file };

		send_answer(fd, &a, size, files, 2);
	} else {
		send_answer(fd, &a, size, NULL, 0);
	}
	return true;
}

/* False: the connection is over. */
static bool serve(struct fake_dpdk *f, int fd)
{
	struct protocol_ask ask;
	struct iovec iov = { &ask, sizeof ask };
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	const struct cmsghdr *c;
	int file = -1;
	bool goes_on;

	if (recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != sizeof ask)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c)
		memcpy(&file, CMSG_DATA(c), sizeof file);
	pthread_mutex_lock(&f->lock);
	goes_on = answer(f, fd, &ask, file);
	pthread_mutex_unlock(&f->lock);
	close_file(&file);
	return goes_on;
}

static void hang_up(struct fake_dpdk *f, unsigned i)
{
	pthread_mutex_lock(&f->lock);
	if (f->told == f->connections[i])
		f->told = -1;
	close(f->connections[i]);
	f->connections[i] = f->connections[--f->n_connections];
	pthread_mutex_unlock(&f->lock);
}

static void *serve_all(void *arg)
{
	struct fake_dpdk *f = arg;

	for (;;) {
		struct pollfd p[FAKE_CONNECTIONS + 2] = { { f->stop[0], POLLIN, 0 },
			{ f->listener, POLLIN, 0 } };
		unsigned n = f->n_connections;

		for (unsigned i = 0; i < n; i++)
			p[i + 2] = (struct pollfd){ f->connections[i], POLLIN, 0 };
		if (poll(p, n + 2, -1) < 0)
			continue;
		if (p[0].revents)
			return NULL;
		for (unsigned i = n; i--;)
			if (p[i + 2].revents && !serve(f, f->connections[i]))
				hang_up(f, i);
		if (p[1].revents && f->n_connections < FAKE_CONNECTIONS)
			f->connections[f->n_connections++] =
				accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	}
}

void fake_start(struct fake_dpdk *f, const char *run_dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	must(snprintf(a.sun_path, sizeof a.sun_path, "%s/" PROTOCOL_SOCKET, run_dir) <
		(int)sizeof a.sun_path);
	unlink(a.sun_path);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(!bind(f->listener, (const struct sockaddr *)&a, sizeof a) && !listen(f->listener, 8));
	must(!pipe(f->stop));
	must(!pthread_create(&f->thread, NULL, serve_all, f));
}

void fake_stop(struct fake_dpdk *f)
{
	must(write(f->stop[1], "", 1) == 1);
	pthread_join(f->thread, NULL);
	while (f->n_connections)
		hang_up(f, f->n_connections - 1);
	close(f->listener);
	close(f->stop[0]);
	close(f->stop[1]);
}

void fake_set_fault(struct fake_dpdk *f, enum fake_fault fault, uint32_t kind, unsigned n)
{
	pthread_mutex_lock(&f->lock);
	f->fault = fault;
	f->fault_kind = kind;
	f->faults = n;
	pthread_mutex_unlock(&f->lock);
}

bool fake_asked(struct fake_dpdk *f, uint32_t kind, unsigned i, struct fake_asked *out)
{
	bool found = false;

	pthread_mutex_lock(&f->lock);
	for (unsigned k = 0; k < f->n_asked && !found; k++) {
		found = f->asked[k].kind == kind && !i--;
		if (found)
			*out = f->asked[k];
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

unsigned fake_count(struct fake_dpdk *f, uint32_t kind)
{
	unsigned n = 0;
	struct fake_asked a;

	while (fake_asked(f, kind, n, &a))
		n++;
	return n;
}

void fake_clear(struct fake_dpdk *f)
{
	pthread_mutex_lock(&f->lock);
	f->n_asked = 0;
	pthread_mutex_unlock(&f->lock);
}

bool fake_tell(struct fake_dpdk *f, const struct protocol_told *t, size_t size)
{
	bool told;

	pthread_mutex_lock(&f->lock);
	told = f->told >= 0 && send(f->told, t, size, MSG_NOSIGNAL) == (ssize_t)size;
	pthread_mutex_unlock(&f->lock);
	return told;
}
