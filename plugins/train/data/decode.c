/* decode.c: JPEG and PNG images to planes of bytes, and their size. */
#include "plugins/train/data/data.h"
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
/* jpeglib.h needs stdio.h before it. */
#include <jpeglib.h>

#define MAX_SIDE 16384

/* --- JPEG ------------------------------------------------------------------------------------ */

typedef struct jpeg_fault {
    struct jpeg_error_mgr base;
    jmp_buf out;
    char text[JMSG_LENGTH_MAX];
} jpeg_fault;

static void
jpeg_fails(j_common_ptr c)
{
    jpeg_fault *f = (jpeg_fault *)c->err;

    c->err->format_message(c, f->text);
    longjmp(f->out, 1);
}

/* A warning means that data are missing: the rest would be grey. */
static void
jpeg_warns(j_common_ptr c, int level)
{
    if (level < 0)
        jpeg_fails(c);
}

/* Pixels of three bytes; NULL: f says why. */
static uint8_t *
read_jpeg(const uint8_t *data, size_t size, int *h, int *w, jpeg_fault *f)
{
    struct jpeg_decompress_struct c;
    uint8_t *volatile pixels = NULL;

    c.err = jpeg_std_error(&f->base);
    f->base.error_exit = jpeg_fails;
    f->base.emit_message = jpeg_warns;
    jpeg_create_decompress(&c);
    if (setjmp(f->out)) {
        jpeg_destroy_decompress(&c);
        free(pixels);
        return NULL;
    }
    jpeg_mem_src(&c, data, (unsigned long)size);
    jpeg_read_header(&c, TRUE);
    c.out_color_space = JCS_RGB;
    c.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&c);
    *h = (int)c.output_height;
    *w = (int)c.output_width;
    pixels = *h <= MAX_SIDE && *w <= MAX_SIDE ? malloc((size_t)*h * (size_t)*w * 3) : NULL;
    if (!pixels) {
        snprintf(f->text, sizeof f->text, "it is too large");
        longjmp(f->out, 1);
    }
    while (c.output_scanline < c.output_height) {
        JSAMPROW row = pixels + (size_t)c.output_scanline * (size_t)*w * 3;
        jpeg_read_scanlines(&c, &row, 1);
    }
    jpeg_finish_decompress(&c);
    jpeg_destroy_decompress(&c);
    return pixels;
}

/* --- PNG ------------------------------------------------------------------------------------- */

static uint8_t *
read_png(const uint8_t *data, size_t size, int *h, int *w, char *text, size_t room)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t *pixels = NULL;

    if (png_image_begin_read_from_memory(&image, data, size)) {
        image.format = PNG_FORMAT_RGB;
        *h = (int)image.height;
        *w = (int)image.width;
        if (*h <= MAX_SIDE && *w <= MAX_SIDE)
            pixels = malloc(PNG_IMAGE_SIZE(image));
        if (pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL))
            return pixels;
    }
    snprintf(text, room, "%s", image.message[0] ? image.message : "it is too large");
    png_image_free(&image);
    free(pixels);
    return NULL;
}

/* --- both ------------------------------------------------------------------------------------ */

void
train_resize(const uint8_t *from, int c, int h, int w, uint8_t *to, int to_h, int to_w)
{
    double sy = (double)h / to_h, sx = (double)w / to_w;

    for (int64_t i = 0; i < (int64_t)c * to_h * to_w; i++) {
        int x = (int)(i % to_w), y = (int)(i / to_w % to_h);
        const uint8_t *plane = from + i / ((int64_t)to_h * to_w) * h * w;
        double fy = (y + 0.5) * sy - 0.5, fx = (x + 0.5) * sx - 0.5;
        fy = fy < 0 ? 0 : fy > h - 1 ? h - 1 : fy;
        fx = fx < 0 ? 0 : fx > w - 1 ? w - 1 : fx;
        int y0 = (int)fy, x0 = (int)fx, y1 = y0 + (y0 < h - 1), x1 = x0 + (x0 < w - 1);
        double a = plane[y0 * w + x0] * (1 - (fx - x0)) + plane[y0 * w + x1] * (fx - x0);
        double b = plane[y1 * w + x0] * (1 - (fx - x0)) + plane[y1 * w + x1] * (fx - x0);
        to[i] = (uint8_t)(a * (1 - (fy - y0)) + b * (fy - y0) + 0.5);
    }
}

/* Three planes from pixels of three bytes, in the size that is wanted. */
static uint8_t *
to_planes(uint8_t *pixels, int h, int w, int to_h, int to_w)
{
    size_t size = (size_t)h * (size_t)w, to_size = (size_t)to_h * (size_t)to_w;
    uint8_t *planes = malloc(3 * size), *made = to_size == size ? planes : malloc(3 * to_size);

    for (size_t i = 0; planes && i < 3 * size; i++)
        planes[i % 3 * size + i / 3] = pixels[i];
    free(pixels);
    if (!planes || !made || (to_h == h && to_w == w)) {
        if (made != planes)
            free(made);
        return planes;
    }
    if (made == planes) /* another shape of the same size */
        made = malloc(3 * to_size);
    if (made)
        train_resize(planes, 3, h, w, made, to_h, to_w);
    free(planes);
    return made;
}

nashc_status
train_decode(const char *name, const uint8_t *data, size_t size, int *h, int *w, uint8_t **planes,
             nashc_diag *d)
{
    nashc_loc loc = {.file = name};
    jpeg_fault f = {.text = "it is neither JPEG nor PNG"};
    int ih = 0, iw = 0;
    uint8_t *pixels = NULL;

    if (size > 3 && data[0] == 0xff && data[1] == 0xd8)
        pixels = read_jpeg(data, size, &ih, &iw, &f);
    else if (size > 8 && memcmp(data, "\x89PNG", 4) == 0)
        pixels = read_png(data, size, &ih, &iw, f.text, sizeof f.text);
    if (!pixels)
        return nashc_error(d, &loc, "the image cannot be read: %s", nashc_quote(d, f.text));
    *h = *h ? *h : ih;
    *w = *w ? *w : iw;
    *planes = to_planes(pixels, ih, iw, *h, *w);
    return *planes ? NASHC_OK : nashc_enomem(d);
}
