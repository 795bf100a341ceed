/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/drop.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "bpf/drop.skel.h"

enum { FILTER_HANDLE = 1, FILTER_PRIORITY = 1 };

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static bool is_ours(uint32_t program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;
	int fd = bpf_prog_get_fd_by_id(program);
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, "tandem_drop");
	close(fd);
	return ours;
}

/* Returns 1: our filter is there; 0: none; -EBUSY: another. */
static int look(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int rc = bpf_tc_query(&hook, &filter);

	/* EINVAL: without a qdisc there is nothing to be asked. */
	if (rc == -ENOENT || rc == -EINVAL || rc == -ENODEV)
		return 0;
	return rc ? rc : is_ours(filter.prog_id) ? 1 : -EBUSY;
}

static int put(uint32_t ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		.prog_fd = program);
	int rc = bpf_tc_hook_create(&hook);

	if (rc && rc != -EEXIST)
		return rc;
	rc = bpf_tc_attach(&hook, &filter);
	return rc == -EINVAL ? -EBUSY : rc; /* one of another kind has this priority */
}

int drop_attach(uint32_t ifindex)
{
	struct drop_bpf *b;
	int rc;

	libbpf_set_print(quiet);
	rc = look(ifindex);
	if (rc)
		return rc < 0 ? rc : 0;
	b = drop_bpf__open_and_load();
	if (!b)
		return -errno;
	rc = put(ifindex, bpf_program__fd(b->progs.tandem_drop));
	drop_bpf__destroy(b);
	return rc;
}

int drop_detach(uint32_t ifindex, bool with_qdisc)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int rc;

	libbpf_set_print(quiet);
	rc = look(ifindex) == 1 ? bpf_tc_detach(&hook, &filter) : 0;
	if (rc || !with_qdisc)
		return rc;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	rc = bpf_tc_hook_destroy(&hook);
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

bool drop_is_attached(uint32_t ifindex)
{
	libbpf_set_print(quiet);
	return look(ifindex) == 1;
}
