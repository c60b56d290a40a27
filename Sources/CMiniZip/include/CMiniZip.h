// A ZIP archive held in memory, through Debian's minizip (libminizip-dev).
//
// minizip reads through callbacks; these read from a buffer, so that the process that parses hostile
// archives needs no file but the one it was given.
#ifndef CMINIZIP_H
#define CMINIZIP_H

#include <stddef.h>

typedef struct carrel_zip carrel_zip;

enum {
    CARREL_ZIP_OK = 0,
    CARREL_ZIP_ABSENT = 1,
    CARREL_ZIP_ENCRYPTED = 2,
    CARREL_ZIP_DAMAGED = 3,
    CARREL_ZIP_TOO_LARGE = 4,
    CARREL_ZIP_MEMORY = 5,
};

// NULL when the buffer holds no archive with a readable directory. The buffer must outlive it.
carrel_zip *carrel_zip_open(const void *bytes, size_t count);
void carrel_zip_close(carrel_zip *zip);

// The first entry's name (`first` non-zero) or the next one's, cut to `capacity - 1` bytes.
// Returns 0 past the last.
int carrel_zip_next_name(carrel_zip *zip, int first, char *name, size_t capacity);

// Unpacks one entry, stopping at `limit` bytes whatever its header claims. On CARREL_ZIP_OK
// `*content` is to be freed by the caller; its checksum has been compared.
int carrel_zip_read(carrel_zip *zip, const char *name, size_t limit, void **content, size_t *count);

#endif
