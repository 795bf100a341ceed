/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/memfd.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* What files of every kind begin with. */
struct beginning {
	uint64_t magic;
	uint32_t version;
};

static int map_to_fill(struct memfd *m, int fd, const struct memfd_kind *kind, uint64_t size)
{
	struct beginning *b;

	if (ftruncate(fd, (off_t)size))
		return -errno;
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (b == MAP_FAILED)
		return -errno;
	b->magic = kind->magic;
	b->version = kind->version;
	*m = (struct memfd){ b, size };
	return 0;
}

int memfd_make(struct memfd *m, const struct memfd_kind *kind, uint64_t size)
{
	int fd = memfd_create(kind->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	*m = (struct memfd){ 0 };
	if (fd < 0)
		return -errno;
	rc = map_to_fill(m, fd, kind, size);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int memfd_seal(struct memfd *m, int fd)
{
	int rc = 0;

	memfd_free(m); /* no file can be sealed that somebody may write to */
	if (!fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int memfd_refuse(int rc, const char *sentence, const char **why)
{
	*why = sentence;
	return rc;
}

/* A file of its length, which can change no more. */
static int map_file(struct memfd *m, int fd, uint32_t head, const char **why)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0)
		return memfd_refuse(-EINVAL, "is no memfd", why);
	if ((seals & SEALS) != SEALS)
		return memfd_refuse(
			-EPERM, "is not sealed: whoever sent it could still change it", why);
	if (fstat(fd, &st) || st.st_size < (off_t)head)
		return memfd_refuse(-EMSGSIZE, "is shorter than its head", why);
	m->size = (size_t)st.st_size;
	m->map = mmap(NULL, m->size, PROT_READ, MAP_SHARED, fd, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		return memfd_refuse(-ENOMEM, "cannot be mapped", why);
	}
	return 0;
}

int memfd_open(struct memfd *m, int fd, const struct memfd_kind *kind, const char **why)
{
	struct beginning b;
	int rc;

	*m = (struct memfd){ 0 };
	rc = map_file(m, fd, kind->head, why);
	if (rc) {
		memfd_free(m);
		return rc;
	}
	memcpy(&b, m->map, sizeof b);
	if (b.magic != kind->magic)
		rc = memfd_refuse(-EINVAL, kind->another, why);
	else if (b.version != kind->version)
		rc = memfd_refuse(-EINVAL, "is of another version of tandem", why);
	if (rc)
		memfd_free(m);
	return rc;
}

void memfd_free(struct memfd *m)
{
	if (m->map)
		munmap(m->map, m->size);
	*m = (struct memfd){ 0 };
}
