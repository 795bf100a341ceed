/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs cost the kernel's verifier. The figures are this kernel's; the limits are those of Linux 6.1, the
 * oldest that runs the programs, since later ones allow more.
 *
 * Steps: 6.1 looks at 1,000,000 instructions (BPF_COMPLEXITY_LIMIT_INSNS). Half of them may be taken here, because
 * every kernel finds other paths to be alike.
 *
 * Stack: along each chain of calls the frames' sizes are summed up, and at most MAX_BPF_STACK bytes are allowed in
 * at most MAX_CALL_FRAMES frames. A frame counts as round_up(max_t(u32, stack_depth, 1), 32) whatever the function is
 * (6.1, kernel/bpf/verifier.c, check_max_stack_depth()); later kernels that compile programs round up to 16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bpf/decap.skel.h"
#include "bpf/tandem.skel.h"
#include "dataplane/l4/tables.h"

enum { STEPS_MAX = 500000, STACK_MAX = 512, FRAMES_MAX = 8, FRAME_UNIT = 32 };

enum { PROGRAMS_MAX = 4, FUNCTIONS_MAX = 32, IMAGE_LINES = 4096 };

/* Of the verifier's log: it writes two lines, or why it refuses a program. */
enum { STATISTICS = 4 };

struct function {
	const char *name;
	uint32_t start, stack;
	int next; /* the function that the deepest chain goes on with, or -1 */
};

/* A program as it was given to the kernel: its own function, then those that it calls. */
struct program {
	const struct bpf_insn *code;
	uint32_t n_code;
	struct function functions[FUNCTIONS_MAX + 1]; /* the last one marks the end */
	int n;
	unsigned steps;
};

static char logs[PROGRAMS_MAX][65536];

/* What the instruction calls, or -1. */
static int64_t callee(const struct program *p, uint32_t at)
{
	const struct bpf_insn *i = &p->code[at];
	bool call = i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL;
	bool pointer = i->code == (BPF_LD | BPF_IMM | BPF_DW) && i->src_reg == BPF_PSEUDO_FUNC;

	return call || pointer ? (int64_t)at + i->imm + 1 : -1;
}

/* A function begins at the first instruction and wherever a call leads. */
static void find_functions(struct program *p)
{
	bool *start = calloc(p->n_code, sizeof *start);

	assert_non_null(start);
	start[0] = true;
	for (uint32_t i = 0; i < p->n_code; i++)
		if (callee(p, i) >= 0)
			start[callee(p, i)] = true;
	for (uint32_t i = 0; i < p->n_code; i++) {
		if (!start[i])
			continue;
		assert_true(p->n < FUNCTIONS_MAX);
		p->functions[p->n++].start = i;
	}
	p->functions[p->n].start = p->n_code;
	free(start);
}

/* The kernel lists functions in the order of their first instructions, too. */
static void name_functions(struct program *p, int fd, const struct btf *btf)
{
	struct bpf_func_info at[FUNCTIONS_MAX];
	struct bpf_prog_info info = {
		.nr_func_info = FUNCTIONS_MAX,
		.func_info_rec_size = sizeof *at,
		.func_info = (uint64_t)(uintptr_t)at,
	};
	uint32_t size = sizeof info;

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	assert_int_equal(info.nr_func_info, p->n);
	for (int i = 0; i < p->n; i++)
		p->functions[i].name =
			btf__name_by_offset(btf, btf__type_by_id(btf, at[i].type_id)->name_off);
}

/* "stack depth 0+256+…" and "processed 264526 insns (limit 1000000) …" */
static void read_log(struct program *p, const char *log)
{
	static const char stack[] = "stack depth ", processed[] = "processed ";
	const char *at = strstr(log, stack);
	char *end;

	assert_non_null(at);
	at += strlen(stack) - 1;
	for (int i = 0; i < p->n; i++) {
		assert_int_equal(*at, i ? '+' : ' ');
		p->functions[i].stack = (uint32_t)strtoul(at + 1, &end, 10);
		at = end;
	}
	assert_int_equal(*at, '\n');
	at = strstr(at, processed);
	assert_non_null(at);
	p->steps = (unsigned)strtoul(at + strlen(processed), NULL, 10);
}

static int function_at(const struct program *p, int64_t start)
{
	int i = 0;

	while (p->functions[i].start != start)
		i++;
	return i;
}

/* The bytes of the deepest chain of calls that begins with a function in the frame of that number. */
static unsigned deepest(struct program *p, int which, int frame)
{
	struct function *f = &p->functions[which];
	unsigned own = (f->stack ? f->stack : 1) + FRAME_UNIT - 1, most = 0;

	assert_true(frame < FRAMES_MAX);
	f->next = -1;
	for (uint32_t i = f->start; i < f[1].start; i++) {
		int64_t start = callee(p, i);
		int next = start < 0 ? -1 : function_at(p, start);
		unsigned n = next < 0 ? 0 : deepest(p, next, frame + 1);

		if (n > most) {
			most = n;
			f->next = next;
		}
	}
	return own / FRAME_UNIT * FRAME_UNIT + most;
}

static void expect_little(struct program *p)
{
	unsigned stack = deepest(p, 0, 0);

	print_message("%s: %u of %d steps, %u of %d bytes of stack:", p->functions[0].name,
		p->steps, STEPS_MAX, stack, STACK_MAX);
	for (int i = 0; i >= 0; i = p->functions[i].next)
		print_message(" %s %u", p->functions[i].name, p->functions[i].stack);
	print_message("\n");
	assert_in_range(p->steps, 1, STEPS_MAX);
	assert_in_range(stack, 1, STACK_MAX);
}

/* Loads an object and looks at all of its programs. */
static void expect_object(struct bpf_object *object)
{
	struct bpf_program *program;
	int n = 0;

	bpf_object__for_each_program(program, object)
	{
		assert_true(n < PROGRAMS_MAX);
		bpf_program__set_log_level(program, STATISTICS);
		bpf_program__set_log_buf(program, logs[n], sizeof logs[n]);
		n++;
	}
	if (bpf_object__load(object)) {
		while (n--)
			print_error("%s", logs[n]);
		fail();
	}
	n = 0;
	bpf_object__for_each_program(program, object)
	{
		struct program p = {
			.code = bpf_program__insns(program),
			.n_code = (uint32_t)bpf_program__insn_cnt(program),
		};

		find_functions(&p);
		name_functions(&p, bpf_program__fd(program), bpf_object__btf(object));
		read_log(&p, logs[n++]);
		expect_little(&p);
	}
}

/* As the loader does it, but for sizes of tables that the verifier does not look at. */
static void test_tandem(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int image = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", sizeof(uint32_t),
		IMAGE_LINES * sizeof(struct l4_line), 1, &opts);
	struct tandem_bpf *b = tandem_bpf__open();

	(void)state;
	assert_true(image >= 0);
	assert_non_null(b);
	b->rodata->image_lines = IMAGE_LINES;
	assert_int_equal(bpf_map__set_inner_map_fd(b->maps.generation, image), 0);
	expect_object(b->obj);
	tandem_bpf__destroy(b);
	close(image);
}

static void test_decap(void **state)
{
	struct decap_bpf *b = decap_bpf__open();

	(void)state;
	assert_non_null(b);
	expect_object(b->obj);
	decap_bpf__destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tandem),
		cmocka_unit_test(test_decap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
