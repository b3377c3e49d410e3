/* size.c: size arithmetic that cannot wrap, and exit codes. */
#include <nashc/base.h>

bool
nashc_mul_size(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || (a && b > INT64_MAX / a))
        return false;
    *out = a * b;
    return true;
}

bool
nashc_add_size(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || b > INT64_MAX - a)
        return false;
    *out = a + b;
    return true;
}

int
nashc_status_exit(nashc_status s)
{
    switch (s) {
    case NASHC_OK:
        return 0;
    case NASHC_EINPUT:
    case NASHC_EUNSUP:
        return 1;
    case NASHC_EUSAGE:
        return 2;
    case NASHC_EMISMATCH:
        return 3;
    case NASHC_ENOMEM:
    case NASHC_EIO:
        return 4;
    case NASHC_EBUG:
        break;
    }
    return 70;
}
