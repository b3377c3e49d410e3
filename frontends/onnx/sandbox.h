/* sandbox.h: files that a model names, which must lie below its folder. */
#ifndef NASHC_ONNX_BELOW_H
#define NASHC_ONNX_BELOW_H

#include "frontends/onnx/reader.h"

typedef struct onnx_sandbox {
    const char *what, *kind; /* for messages: `initialiser "w"`, "external data" */
    int fd, folder;          /* the file, and the folder that it is in */
    int64_t size;
    uint64_t device, inode; /* which file it is, by whatever name */
} onnx_sandbox;

/* Is the name relative, with slashes only, and without ".."? An error that says what is wrong. */
nashc_status onnx_sandbox_legal(nashc_onnx_in *r, const onnx_sandbox *f, const char *location);

/* Opens the file: regular, with one hard link, reached without following symbolic links. On success
 * close releases both descriptors. */
nashc_status onnx_sandbox_open(nashc_onnx_in *r, onnx_sandbox *f, const char *location);
void onnx_sandbox_close(onnx_sandbox *f);

/* need bytes from offset, which the file has, into *out (malloc). */
nashc_status onnx_sandbox_read(nashc_onnx_in *r, const onnx_sandbox *f, int64_t offset,
                               int64_t need, uint8_t **out);

#endif
