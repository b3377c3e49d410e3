/* nashc_hls.h: integers of any width and streams, for C compilers and for tools of HLS.
 *
 * As C99, integers are the next larger ones of <stdint.h>, or with -DNASHC_BITINT the _BitInt(N) of
 * clang and of C23, which wrap as the hardware does. Streams are queues of one frame. As C++, which
 * vendor tools and Bambu want, they are ap_int<N>, ap_uint<N> and hls::stream<beat>.
 *
 *     NASHC_UINT(u3, 3, uint8_t)     type u3
 *     NASHC_BEAT(u3x16, u3, 16)      struct u3x16 with lane[16], and its streams
 *     NASHC_IN(u3x16) x              parameters
 *     NASHC_LINK(u3x16, w, 98)       a stream w, in C of at most 98 beats at a time
 *     NASHC_READ(u3x16, x)           takes a beat, NASHC_WRITE(u3x16, y, b) gives one
 *     NASHC_EMPTY(x) NASHC_FULL(y)   would it wait? In C the whole frame is there already.
 */
#ifndef NASHC_HLS_RUNTIME_H
#define NASHC_HLS_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus

#include <ap_int.h>
#include <hls_stream.h>

#define NASHC_UINT(name, bits, host) typedef ap_uint<bits> name;
#define NASHC_INT(name, bits, host)  typedef ap_int<bits> name;
#define NASHC_BEAT(name, elem, lanes)                                                              \
    struct name {                                                                                  \
        elem lane[lanes];                                                                          \
    };
#define NASHC_IN(beat)                hls::stream<beat> &
#define NASHC_OUT(beat)               hls::stream<beat> &
#define NASHC_LINK(beat, name, beats) hls::stream<beat> name(#name)
#define NASHC_READ(beat, s)           (s).read()
#define NASHC_WRITE(beat, s, b)       (s).write(b)
#define NASHC_EMPTY(s)                (s).empty()
#define NASHC_FULL(s)                 (s).full()

#else

#include <assert.h>

#ifdef NASHC_BITINT
#define NASHC_UINT(name, bits, host) typedef unsigned _BitInt(bits) name;
#define NASHC_INT(name, bits, host)  typedef signed _BitInt((bits) < 2 ? 2 : (bits)) name;
#else
#define NASHC_UINT(name, bits, host) typedef host name;
#define NASHC_INT(name, bits, host)  typedef host name;
#endif

/* Beats [first, end) of at[size] wait. A queue that has been emptied starts anew. */
#define NASHC_BEAT(name, elem, lanes)                                                              \
    typedef struct name {                                                                          \
        elem lane[lanes];                                                                          \
    } name;                                                                                        \
    typedef struct name##_stream {                                                                 \
        name *at;                                                                                  \
        int size, first, end;                                                                      \
    } name##_stream;                                                                               \
    static inline name name##_read(name##_stream *s)                                               \
    {                                                                                              \
        assert(s->first < s->end);                                                                 \
        name b = s->at[s->first++];                                                                \
        if (s->first == s->end)                                                                    \
            s->first = s->end = 0;                                                                 \
        return b;                                                                                  \
    }                                                                                              \
    static inline void name##_write(name##_stream *s, name b)                                      \
    {                                                                                              \
        assert(s->end < s->size);                                                                  \
        s->at[s->end++] = b;                                                                       \
    }
#define NASHC_IN(beat)  beat##_stream *
#define NASHC_OUT(beat) beat##_stream *
#define NASHC_LINK(beat, name, beats)                                                              \
    static beat name##_at[beats];                                                                  \
    static beat##_stream name[1] = {{name##_at, beats, 0, 0}}
#define NASHC_READ(beat, s)     beat##_read(s)
#define NASHC_WRITE(beat, s, b) beat##_write(s, b)
#define NASHC_EMPTY(s)          ((s)->first == (s)->end)
#define NASHC_FULL(s)           ((s)->end == (s)->size)

#endif
#endif
