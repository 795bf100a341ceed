/* SPDX-License-Identifier: BSD-2-Clause */
/* What a benchmark of several cases is asked for on its command line. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { FLAGS_CASES = 64 };

struct flags {
	/* Of the benchmark. */
	const char *program;
	const char *(*name)(unsigned i); /* of a case */
	unsigned n;			 /* cases, FLAGS_CASES at most */
	bool has_flows;			 /* it knows --flows */
	/* Of the command line. */
	bool json, quick, check;
	uint64_t flows; /* a power of two; 0: not said */
	bool wanted[FLAGS_CASES];
};

/* Reads a command line; without --case all cases are wanted. Returns 0; or 2 after it has said on standard error how the benchmark
 * is called. */
int flags_read(struct flags *f, int argc, char **argv);
