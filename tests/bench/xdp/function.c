/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/function.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

enum { FUNCTIONS_MAX = 16 };

struct functions {
	struct bpf_prog_info info;
	struct bpf_func_info at[FUNCTIONS_MAX];
	uint32_t bytes[FUNCTIONS_MAX];
};

/* In the order of their first instructions. */
static int functions_read(int program, struct functions *f)
{
	uint32_t size = sizeof f->info;

	memset(f, 0, sizeof *f);
	f->info.nr_func_info = f->info.nr_jited_func_lens = FUNCTIONS_MAX;
	f->info.func_info_rec_size = sizeof *f->at;
	f->info.func_info = (uint64_t)(uintptr_t)f->at;
	f->info.jited_func_lens = (uint64_t)(uintptr_t)f->bytes;
	if (bpf_obj_get_info_by_fd(program, &f->info, &size))
		return -errno;
	return f->info.nr_func_info <= FUNCTIONS_MAX &&
			       f->info.nr_func_info == f->info.nr_jited_func_lens
		       ? 0
		       : -E2BIG;
}

static const char *name_of(const struct btf *btf, const struct bpf_func_info *at)
{
	const struct btf_type *t = btf__type_by_id(btf, at->type_id);

	return t ? btf__name_by_offset(btf, t->name_off) : "";
}

int function_of(int program, const char *name, struct function *out)
{
	struct functions f;
	int rc = functions_read(program, &f);
	struct btf *btf;

	if (rc)
		return rc;
	btf = btf__load_from_kernel_by_id(f.info.btf_id);
	if (!btf)
		return -errno;
	rc = -ENOENT;
	for (uint32_t i = 0; i < f.info.nr_func_info && rc; i++) {
		uint32_t end = i + 1 < f.info.nr_func_info ? f.at[i + 1].insn_off
							   : f.info.xlated_prog_len / 8;

		if (strcmp(name_of(btf, &f.at[i]), name))
			continue;
		*out = (struct function){ end - f.at[i].insn_off, f.bytes[i] };
		rc = 0;
	}
	btf__free(btf);
	return rc;
}
