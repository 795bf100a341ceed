/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine's control side, asked by hand and by a control plane that starts anew: control_test WORLD. */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "dataplane/snapshot/memfd.h"
#include "tests/packets/body_engine.h"
#include "tests/packets/rig.h"
#include "tests/packets/wire.h"
#include "tests/packets/world.h"

struct bed {
	struct world_file *world;
	struct rig rig;
	int fd; /* a connection */
	int files[PROTOCOL_FILES];
	unsigned n_files; /* that came with the last answer */
	struct protocol_answer answer;
};

static const char *world_path;

static struct sockaddr_un address_of(const struct bed *b)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof a.sun_path, "%s/" PROTOCOL_SOCKET, b->rig.dir);
	return a;
}

static int call(const struct bed *b)
{
	struct sockaddr_un a = address_of(b);
	struct timeval wait = { 10, 0 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	return fd;
}

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof *b);
	struct err e;

	*state = b;
	assert_non_null(b);
	assert_int_equal(world_open(&b->world, world_path, &e), 0);
	assert_int_equal(rig_open(&b->rig, &b->world->world, 1, &e), 0);
	b->fd = call(b);
	return 0;
}

static void drop_files(struct bed *b)
{
	for (unsigned i = 0; i < b->n_files; i++)
		close(b->files[i]);
	b->n_files = 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	drop_files(b);
	close(b->fd);
	rig_close(&b->rig);
	world_close(b->world);
	free(b);
	return 0;
}

static void send_bytes(struct bed *b, const void *bytes, size_t len, int file)
{
	char room[CMSG_SPACE(sizeof file)] = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (file >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)room;

		msg.msg_control = room;
		msg.msg_controllen = sizeof room;
		*c = (struct cmsghdr){ CMSG_LEN(sizeof file), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(c), &file, sizeof file);
	}
	assert_int_equal(sendmsg(b->fd, &msg, MSG_NOSIGNAL), len);
}

/* Waits for the answer, and takes the files beside it. */
static int hear(struct bed *b)
{
	char room[CMSG_SPACE(sizeof b->files)];
	struct iovec iov = { &b->answer, sizeof b->answer };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
	};
	struct cmsghdr *c;

	drop_files(b);
	assert_true(recvmsg(b->fd, &msg, MSG_CMSG_CLOEXEC) >= (ssize_t)sizeof(int32_t));
	c = CMSG_FIRSTHDR(&msg);
	if (c) {
		b->n_files = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(b->files, CMSG_DATA(c), b->n_files * sizeof(int));
	}
	return b->answer.rc;
}

static int ask(struct bed *b, struct protocol_ask *a, int file)
{
	a->version = PROTOCOL_VERSION;
	send_bytes(b, a, sizeof *a, file);
	return hear(b);
}

static int ask_kind(struct bed *b, enum protocol_kind kind)
{
	struct protocol_ask a = { .kind = kind };

	return ask(b, &a, -1);
}

static void greet(struct bed *b)
{
	assert_int_equal(ask_kind(b, PROTOCOL_HELLO), 0);
}

static int send_file(
	struct bed *b, enum protocol_kind kind, int file, uint64_t after, uint32_t bank)
{
	struct protocol_ask a = { .kind = kind, .file = { .after = after, .bank = bank } };

	return ask(b, &a, file);
}

static void test_hello(void **state)
{
	struct bed *b = *state;
	const struct protocol_hello *h = &b->answer.hello;

	greet(b);
	assert_int_equal(h->generation, b->rig.core.generation->sealed.generation);
	assert_int_equal(h->workers, 1);
	assert_int_equal(h->n_ports, b->rig.core.n_ports);
	assert_string_equal(h->ports[0].driver, "net_ring");
	assert_int_equal(b->n_files, PROTOCOL_FILES);
	/* They are to be read, and no more. */
	for (unsigned i = 0; i < PROTOCOL_FILES; i++) {
		assert_ptr_equal(
			mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, b->files[i], 0),
			MAP_FAILED);
		assert_int_not_equal(
			mmap(NULL, 4096, PROT_READ, MAP_SHARED, b->files[i], 0), MAP_FAILED);
	}
}

static void test_other_versions(void **state)
{
	struct protocol_ask a = { .version = PROTOCOL_VERSION + 1, .kind = PROTOCOL_HELLO };
	struct bed *b = *state;

	send_bytes(b, &a, sizeof a, -1);
	assert_int_equal(hear(b), -EPROTO);
	assert_non_null(strstr(b->answer.why, "another version"));
	send_bytes(b, "x", 1, -1);
	assert_int_equal(hear(b), -EPROTO);
	greet(b);
}

static void test_questions_out_of_turn(void **state)
{
	struct bed *b = *state;

	assert_int_equal(ask_kind(b, PROTOCOL_STATUS), -EPROTO);
	greet(b);
	assert_int_equal(ask_kind(b, PROTOCOL_STATUS), 0);
	assert_int_equal(b->answer.status.n_workers, 1);
	assert_true(b->answer.status.cycles_per_second > 0);
	assert_int_equal(ask_kind(b, (enum protocol_kind)99), -EOPNOTSUPP);
	assert_int_equal(ask_kind(b, PROTOCOL_CAPTURE_END), 0);
}

/* Whatever is wrong with a file, the generation that packets go by stays. */
static void test_files_that_are_refused(void **state)
{
	struct bed *b = *state;
	const struct generation *before = b->rig.core.generation;
	uint64_t now = before->sealed.generation;
	int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING), image;

	greet(b);
	image = dup(b->files[0]);
	assert_int_equal(ftruncate(plain, 4096), 0);
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, -1, 0, 0), -EINVAL);
	assert_non_null(strstr(b->answer.why, "missing"));
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, plain, 0, 0), -EPERM);
	assert_non_null(strstr(b->answer.why, "not sealed"));
	assert_int_equal(send_file(b, PROTOCOL_ROUTES, plain, 0, 0), -EPERM);
	assert_int_equal(send_file(b, PROTOCOL_ROUTES, image, 0, 0), -EINVAL);
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, image, 0, STORE_BANKS), -EINVAL);
	assert_non_null(strstr(b->answer.why, "bank"));
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, image, now + 1, 0), -ESTALE);
	assert_ptr_equal(b->rig.core.generation, before);
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, image, now, 0), 0);
	assert_ptr_not_equal(b->rig.core.generation, before);
	close(image);
	close(plain);
}

static void test_traces(void **state)
{
	struct protocol_ask a = { .kind = PROTOCOL_TRACE };
	struct bed *b = *state;

	greet(b);
	a.trace.len = sizeof(struct l4_eth) - 1;
	assert_int_equal(ask(b, &a, -1), -EMSGSIZE);
	a.trace.len = PROTOCOL_FRAME + 1;
	assert_int_equal(ask(b, &a, -1), -EMSGSIZE);
	a.trace.len = 60;
	assert_int_equal(ask(b, &a, -1), 0);
	assert_int_equal(b->answer.trace.len, 60);
	assert_int_equal(b->answer.trace.way.end.verdict, L4_V_NOT_OURS);
}

static void test_a_capture_ends_with_who_began_it(void **state)
{
	struct protocol_ask a = { .kind = PROTOCOL_CAPTURE, .capture.vip_id = 1 };
	struct bed *b = *state;
	int other = b->fd;

	greet(b);
	assert_int_equal(ask(b, &a, -1), 0);
	b->fd = call(b);
	greet(b);
	assert_int_equal(ask(b, &a, -1), -EBUSY);
	close(other);
	while (ask(b, &a, -1)) /* until the engine has seen that */
		assert_int_equal(b->answer.rc, -EBUSY);
	assert_int_equal(ask_kind(b, PROTOCOL_CAPTURE_END), 0);
}

/* Part of the list that begins at `first`: so many entries, and whether there are more. */
static void expect_changes(struct bed *b, uint32_t first, uint32_t n, bool more)
{
	struct protocol_ask a = { .kind = PROTOCOL_CHANGES, .changes.first = first };
	const struct protocol_changes *l = &b->answer.changes;

	assert_int_equal(ask(b, &a, -1), 0);
	assert_int_equal(l->n, n);
	assert_int_equal(l->more, more);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(l->list[i].ifindex, first + i + 1);
}

static void test_changes_are_told_in_parts(void **state)
{
	struct protocol_ask a = { .version = PROTOCOL_VERSION, .kind = PROTOCOL_CHANGES };
	struct bed *b = *state;

	assert_int_equal(ask_kind(b, PROTOCOL_CHANGES), -EPROTO); /* out of turn */
	greet(b);
	expect_changes(b, 0, 0, false);
	__atomic_store_n(&b->rig.changes, PROTOCOL_LIST, __ATOMIC_RELEASE);
	expect_changes(b, 0, PROTOCOL_LIST, false);
	__atomic_store_n(&b->rig.changes, PROTOCOL_LIST + 2, __ATOMIC_RELEASE);
	expect_changes(b, 0, PROTOCOL_LIST, true);
	expect_changes(b, PROTOCOL_LIST, 2, false);
	expect_changes(b, PROTOCOL_LIST + 2, 0, false);
	expect_changes(b, UINT32_MAX, 0, false);
	send_bytes(b, &a, offsetof(struct protocol_ask, changes) + 4, -1); /* cut short */
	assert_int_equal(hear(b), -EPROTO);
}

/* What a follower was told of, and by which generation packets went then. */
static struct {
	const struct core *core;
	unsigned n;
	struct {
		uint64_t now, next, published;
	} list[4];
} followed;

static void follow(void *arg, const struct sealed *now, const struct sealed *next)
{
	const struct generation *g =
		__atomic_load_n(&followed.core->common.generation, __ATOMIC_ACQUIRE);

	assert_ptr_equal(arg, &followed);
	assert_in_range(followed.n, 0, 3);
	followed.list[followed.n].now = now ? now->generation : 0;
	followed.list[followed.n].next = next ? next->generation : 0;
	followed.list[followed.n++].published = g ? g->sealed.generation : 0;
}

static void expect_followed(unsigned i, uint64_t now, uint64_t next, uint64_t published)
{
	assert_int_equal(followed.list[i].now, now);
	assert_int_equal(followed.list[i].next, next);
	assert_int_equal(followed.list[i].published, published);
}

/* Once before packets go by a generation, once when all do; of one that is refused nobody hears. */
static void test_a_follower_is_told_of_generations(void **state)
{
	struct bed *b = *state;
	struct core *c = &b->rig.core;
	uint64_t now = c->generation->sealed.generation;
	struct err e;
	int file;

	followed.core = c;
	followed.n = 0;
	c->follower = (struct core_follower){ follow, &followed };
	assert_int_equal(rig_reopen(&b->rig, &b->world->world, &e), 0);
	assert_int_equal(body_engine_tell(b->rig.engine, &b->world->world, &e), 0);
	greet(b);
	file = dup(b->files[0]);
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, file, now + 9, 0), -ESTALE);
	assert_int_equal(followed.n, 2);
	expect_followed(0, now, now + 1, now);
	expect_followed(1, now + 1, 0, now + 1);
	core_leave_ports(c);
	c->frames = b->rig.frames;
	assert_int_equal(send_file(b, PROTOCOL_GENERATION, file, 0, 0), 0);
	close(file);
	assert_int_equal(followed.n, 4);
	expect_followed(2, 0, now + 1, 0);
}

static bool is_paused(const struct bed *b)
{
	return __atomic_load_n(&b->rig.paused, __ATOMIC_ACQUIRE);
}

static void test_a_pause_ends_with_who_asked_for_it(void **state)
{
	struct bed *b = *state;
	int other = b->fd;

	greet(b);
	assert_int_equal(ask_kind(b, PROTOCOL_TAKE), -EALREADY);
	assert_string_equal(b->answer.why, "the rig has its ports");
	assert_int_equal(ask_kind(b, PROTOCOL_PAUSE), 0);
	assert_true(is_paused(b));
	b->fd = call(b);
	greet(b);
	assert_true(is_paused(b));
	close(other);
	for (int i = 0; is_paused(b) && i < 100; i++) /* until the engine has seen that */
		greet(b);
	assert_false(is_paused(b));
}

static void test_wants_are_told(void **state)
{
	const struct l4_want want = { .address = { 0x01020304 }, .ifindex = 7 };
	struct protocol_told told;
	struct bed *b = *state;

	assert_int_equal(ask_kind(b, PROTOCOL_LISTEN), 0);
	assert_int_equal(
		rte_ring_mp_enqueue_elem(b->rig.core.common.wants, (void *)&want, sizeof want), 0);
	assert_int_equal(recv(b->fd, &told, sizeof told, 0),
		offsetof(struct protocol_told, want) + sizeof want);
	assert_int_equal(told.kind, PROTOCOL_WANT);
	assert_memory_equal(&told.want, &want, sizeof want);
}

/* As many workers as there are, and no more bytes. */
static void test_workers_are_told(void **state)
{
	struct protocol_told told;
	struct bed *b = *state;

	assert_int_equal(ask_kind(b, PROTOCOL_LISTEN), 0);
	b->rig.core.workers[0]->times = (struct worker_times){ 5, 7, 2, 1 };
	control_socket_tell_workers(b->rig.control);
	assert_int_equal(recv(b->fd, &told, sizeof told, 0),
		offsetof(struct protocol_told, status.workers[1]));
	assert_int_equal(told.kind, PROTOCOL_WORKERS_NOW);
	assert_int_equal(told.status.n_workers, 1);
	assert_true(told.status.cycles_per_second > 0);
	assert_int_equal(told.status.workers[0].busy_cycles, 5);
	assert_int_equal(told.status.workers[0].idle_cycles, 7);
	assert_int_equal(told.status.workers[0].sleeps, 2);
	assert_int_equal(told.status.workers[0].cpu, 1);
}

static void test_one_engine_in_a_directory(void **state)
{
	struct bed *b = *state;
	struct control_socket *second;
	char dir[96];

	snprintf(dir, sizeof dir, "%s/" PROTOCOL_DIR, b->rig.dir);
	assert_int_equal(control_socket_open(&second, &b->rig.core, dir, NULL), -EADDRINUSE);
	greet(b);
}

static int count_slots(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	(void)pool;
	(void)owner;
	(void)base;
	(void)since;
	*(uint32_t *)arg += n;
	return 0;
}

/* A control plane that starts anew finds the slots and the counters, takes the other bank of neighbours and publishes. */
static void test_a_control_plane_returns(void **state)
{
	struct bed *b = *state;
	struct core *c = &b->rig.core;
	const struct generation_area *area = c->generation->area;
	uint32_t bank = c->generation->bank;
	struct err e;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t *verdicts = store_block(&c->store, STORE_VERDICTS, 1), now[L4_V_COUNT];
		uint64_t before = c->generation->sealed.generation;
		uint32_t slots = 0;

		verdicts[L4_V_FORWARDED] += 5;
		assert_int_equal(rig_reopen(&b->rig, &b->world->world, &e), 0);
		assert_int_equal(engine_past_slots(b->rig.engine, count_slots, &slots), 0);
		assert_true(slots > 0);
		assert_int_equal(body_engine_tell(b->rig.engine, &b->world->world, &e), 0);
		assert_int_equal(engine_verdict_counters(b->rig.engine, now), 0);
		assert_int_equal(now[L4_V_FORWARDED], 5 * (i + 1));
		assert_int_not_equal(c->generation->bank, bank);
		assert_true(c->generation->sealed.generation > before);
		assert_true(i || c->generation->area != area);
		assert_non_null(c->common.routes[c->generation->bank]);
		assert_null(c->common.routes[bank]); /* nobody goes by them */
		bank = c->generation->bank;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hello),
		TEST(test_other_versions),
		TEST(test_questions_out_of_turn),
		TEST(test_files_that_are_refused),
		TEST(test_traces),
		TEST(test_changes_are_told_in_parts),
		TEST(test_a_follower_is_told_of_generations),
		TEST(test_a_capture_ends_with_who_began_it),
		TEST(test_a_pause_ends_with_who_asked_for_it),
		TEST(test_wants_are_told),
		TEST(test_workers_are_told),
		TEST(test_one_engine_in_a_directory),
		TEST(test_a_control_plane_returns),
	};

	if (argc != 2)
		return 2;
	world_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
