/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/program.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

struct dump {
	struct bpf_prog_info info;
	struct bpf_func_info at[PROGRAM_FUNCTIONS];
	uint32_t bytes[PROGRAM_FUNCTIONS];
	struct bpf_insn *code;
};

static void ask_functions(struct dump *d)
{
	d->info.nr_func_info = d->info.nr_jited_func_lens = PROGRAM_FUNCTIONS;
	d->info.func_info_rec_size = sizeof *d->at;
	d->info.func_info = (uint64_t)(uintptr_t)d->at;
	d->info.jited_func_lens = (uint64_t)(uintptr_t)d->bytes;
}

/* The kernel says how long the code is, then it is asked for. */
static int dump_read(int fd, struct dump *d)
{
	uint32_t size = sizeof d->info, len;

	memset(d, 0, sizeof *d);
	if (bpf_obj_get_info_by_fd(fd, &d->info, &size))
		return -errno;
	len = d->info.xlated_prog_len;
	d->code = malloc(len);
	if (!d->code)
		return -ENOMEM;
	memset(&d->info, 0, sizeof d->info);
	d->info.xlated_prog_len = len;
	d->info.xlated_prog_insns = (uint64_t)(uintptr_t)d->code;
	ask_functions(d);
	if (bpf_obj_get_info_by_fd(fd, &d->info, &size))
		return -errno;
	return d->info.nr_func_info <= PROGRAM_FUNCTIONS &&
			       d->info.nr_func_info == d->info.nr_jited_func_lens
		       ? 0
		       : -E2BIG;
}

static uint32_t end_of(const struct dump *d, unsigned function)
{
	return function + 1 < d->info.nr_func_info
		       ? d->at[function + 1].insn_off
		       : d->info.xlated_prog_len / (uint32_t)sizeof *d->code;
}

/* Calls of own functions keep their distance in `off` once the program is compiled (bpftool reads them so too). */
static uint64_t calls_of(const struct dump *d, unsigned function)
{
	uint64_t calls = 0;

	for (uint32_t i = d->at[function].insn_off; i < end_of(d, function); i++) {
		const struct bpf_insn *in = &d->code[i];

		if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg != BPF_PSEUDO_CALL)
			continue;
		for (unsigned f = 0; f < d->info.nr_func_info; f++)
			if (d->at[f].insn_off == i + 1 + (uint32_t)in->off)
				calls |= 1ull << f;
	}
	return calls;
}

static int describe(const struct dump *d, struct program *out)
{
	struct btf *btf = btf__load_from_kernel_by_id(d->info.btf_id);

	if (!btf)
		return -errno;
	out->n = d->info.nr_func_info;
	for (unsigned i = 0; i < out->n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, d->at[i].type_id);
		struct program_function *f = &out->functions[i];

		snprintf(f->name, sizeof f->name, "%s",
			t ? btf__name_by_offset(btf, t->name_off) : "");
		f->instructions = end_of(d, i) - d->at[i].insn_off;
		f->bytes = d->bytes[i];
		f->calls = calls_of(d, i);
	}
	btf__free(btf);
	return 0;
}

int program_read(int fd, struct program *out)
{
	struct dump d;
	int rc = dump_read(fd, &d);

	if (!rc)
		rc = describe(&d, out);
	free(d.code);
	return rc;
}

const struct program_function *program_find(const struct program *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!strcmp(p->functions[i].name, name))
			return &p->functions[i];
	return NULL;
}
