/* SPDX-License-Identifier: BSD-2-Clause */
/* Files by which one process gives tables to another: memfds that nobody can write to, shrink or grow any more (memfd_create(2);
 * fcntl(2), F_ADD_SEALS), so that what was checked stays as it was. They begin with a magic number of 64 bits and a version of 32. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct memfd_kind {
	const char *name; /* of the file, for people who look at /proc */
	uint64_t magic;	  /* files of other kinds begin with other numbers */
	uint32_t version;
	uint32_t head;	     /* bytes, at least, that every file of the kind has */
	const char *another; /* what to say of a file of another kind: "is no …" */
};

struct memfd {
	void *map;
	size_t size;
};

/* Makes a file of so many bytes, all zero, and maps it to be filled: magic and version are there. Returns a file descriptor, for
 * memfd_seal(), or a negative errno. */
int memfd_make(struct memfd *m, const struct memfd_kind *kind, uint64_t size);

/* Seals a file that has been filled, and unmaps it. Returns fd; or a negative errno, then fd is closed. */
int memfd_seal(struct memfd *m, int fd);

/* Maps a file that another process has sent. fd stays the caller's. Returns 0; -EPERM (not sealed), -EINVAL (no such file, or of
 * another version), -EMSGSIZE (shorter than a head), -ENOMEM; then *why says what is wrong, in words that follow the file's name, and
 * *m is zero. Whether the file has the length that its head says is the caller's to check. */
int memfd_open(struct memfd *m, int fd, const struct memfd_kind *kind, const char **why);
void memfd_free(struct memfd *m);

/* Says why, and returns rc. */
int memfd_refuse(int rc, const char *sentence, const char **why);
