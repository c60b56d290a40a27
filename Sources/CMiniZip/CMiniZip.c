#include "CMiniZip.h"

#include <minizip/unzip.h>
#include <stdlib.h>
#include <string.h>

struct carrel_zip {
    unzFile file;
    const unsigned char *bytes;
    ZPOS64_T count;
    ZPOS64_T position;
};

static voidpf open_buffer(voidpf opaque, const void *name, int mode) {
    (void)name;
    (void)mode;
    return opaque;
}

static uLong read_buffer(voidpf opaque, voidpf stream, void *destination, uLong wanted) {
    (void)stream;
    carrel_zip *zip = opaque;
    ZPOS64_T left = zip->count - zip->position;
    uLong got = wanted < left ? wanted : (uLong)left;
    memcpy(destination, zip->bytes + zip->position, got);
    zip->position += got;
    return got;
}

static uLong write_nothing(voidpf opaque, voidpf stream, const void *source, uLong wanted) {
    (void)opaque;
    (void)stream;
    (void)source;
    (void)wanted;
    return 0;
}

static ZPOS64_T tell_buffer(voidpf opaque, voidpf stream) {
    (void)stream;
    return ((carrel_zip *)opaque)->position;
}

static long seek_buffer(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin) {
    (void)stream;
    carrel_zip *zip = opaque;
    ZPOS64_T base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? zip->position
                    : origin == ZLIB_FILEFUNC_SEEK_END ? zip->count
                                                       : 0;
    if (offset > zip->count || base > zip->count - offset) return -1;
    zip->position = base + offset;
    return 0;
}

static int close_buffer(voidpf opaque, voidpf stream) {
    (void)opaque;
    (void)stream;
    return 0;
}

static int error_buffer(voidpf opaque, voidpf stream) {
    (void)opaque;
    (void)stream;
    return 0;
}

carrel_zip *carrel_zip_open(const void *bytes, size_t count) {
    carrel_zip *zip = calloc(1, sizeof *zip);
    if (zip == NULL) return NULL;
    zip->bytes = bytes;
    zip->count = count;
    zlib_filefunc64_def functions = {
        .zopen64_file = open_buffer,
        .zread_file = read_buffer,
        .zwrite_file = write_nothing,
        .ztell64_file = tell_buffer,
        .zseek64_file = seek_buffer,
        .zclose_file = close_buffer,
        .zerror_file = error_buffer,
        .opaque = zip,
    };
    zip->file = unzOpen2_64("", &functions);
    if (zip->file == NULL) {
        free(zip);
        return NULL;
    }
    return zip;
}

void carrel_zip_close(carrel_zip *zip) {
    unzClose(zip->file);
    free(zip);
}

int carrel_zip_next_name(carrel_zip *zip, int first, char *name, size_t capacity) {
    int code = first ? unzGoToFirstFile(zip->file) : unzGoToNextFile(zip->file);
    if (code != UNZ_OK) return 0;
    name[capacity - 1] = 0;
    return unzGetCurrentFileInfo64(zip->file, NULL, name, capacity - 1, NULL, 0, NULL, 0) == UNZ_OK;
}

static int unpack(unzFile file, size_t limit, void **content, size_t *count) {
    size_t capacity = 1 << 16, length = 0;
    char *buffer = malloc(capacity);
    if (buffer == NULL) return CARREL_ZIP_MEMORY;
    for (;;) {
        if (length == capacity) {
            char *larger = realloc(buffer, capacity * 2);
            if (larger == NULL) {
                free(buffer);
                return CARREL_ZIP_MEMORY;
            }
            buffer = larger;
            capacity *= 2;
        }
        size_t room = capacity - length;
        int got = unzReadCurrentFile(file, buffer + length, room > 1 << 20 ? 1 << 20 : room);
        if (got < 0) {
            free(buffer);
            return CARREL_ZIP_DAMAGED;
        }
        if (got == 0) break;
        length += got;
        if (length > limit) {
            free(buffer);
            return CARREL_ZIP_TOO_LARGE;
        }
    }
    *content = buffer;
    *count = length;
    return CARREL_ZIP_OK;
}

int carrel_zip_read(carrel_zip *zip, const char *name, size_t limit, void **content, size_t *count) {
    if (unzLocateFile(zip->file, name, 1) != UNZ_OK) return CARREL_ZIP_ABSENT;
    unz_file_info64 info;
    if (unzGetCurrentFileInfo64(zip->file, &info, NULL, 0, NULL, 0, NULL, 0) != UNZ_OK)
        return CARREL_ZIP_DAMAGED;
    if (info.flag & 1) return CARREL_ZIP_ENCRYPTED;
    if (unzOpenCurrentFile(zip->file) != UNZ_OK) return CARREL_ZIP_DAMAGED;
    int result = unpack(zip->file, limit, content, count);
    // Closing compares the checksum, once everything has been read.
    if (unzCloseCurrentFile(zip->file) == UNZ_CRCERROR && result == CARREL_ZIP_OK) {
        free(*content);
        return CARREL_ZIP_DAMAGED;
    }
    return result;
}
