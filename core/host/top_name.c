/* top_name.c: names for the top of a design.
 *
 * The name goes into Verilog, C and C++, XML, Makefiles and scripts of Yosys and other tools, and
 * is read back from manifests that anybody may have written: one rule for all, letters of ASCII,
 * digits and "_", and no word that one of the languages has (IEEE 1364-2005 annex B, IEEE
 * 1800-2017 annex B, ISO C 2011 6.4.1, ISO C++ 2020 table 5).
 */
#include <nashc/compile.h>
#include <string.h>

#define MAX_NAME 64

static bool
listed(const char *words, const char *s)
{
    size_t n = strlen(s);

    for (const char *p = words; (p = strstr(p, s)); p++)
        if ((p == words || p[-1] == ' ') && p[n] == ' ')
            return true;
    return false;
}

/* The words of Verilog, of SystemVerilog, of C and C++, and names of the C library's headers that
 * generated benches include. */
static bool
is_word(const char *s)
{
    static const char verilog[] =
        "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config "
        "deassign default defparam design disable edge else end endcase endconfig endfunction "
        "endgenerate endmodule endprimitive endspecify endtable endtask event for force forever "
        "fork function generate genvar highz0 highz1 if ifnone incdir include initial inout input "
        "instance integer join large liblist library localparam macromodule medium module nand "
        "negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge "
        "primitive pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real "
        "realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled "
        "signed small specify specparam strong0 strong1 supply0 supply1 table task time tran "
        "tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand "
        "weak0 weak1 while wire wor xnor xor ";
    static const char system_verilog[] =
        "accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof "
        "bit break byte chandle checker class clocking const constraint context continue cover "
        "covergroup coverpoint cross dist do endchecker endclass endclocking endgroup "
        "endinterface endpackage endprogram endproperty endsequence enum eventually expect export "
        "extends extern final first_match foreach forkjoin global iff ignore_bins illegal_bins "
        "implements implies import inside int interconnect interface intersect join_any join_none "
        "let local logic longint matches modport nettype new nexttime null package packed "
        "priority program property protected pure rand randc randcase randsequence ref reject_on "
        "restrict return s_always s_eventually s_nexttime s_until s_until_with sequence shortint "
        "shortreal soft solve static string strong struct super sync_accept_on sync_reject_on "
        "tagged this throughout timeprecision timeunit type typedef union unique unique0 until "
        "until_with untyped var virtual void wait_order weak wildcard with within ";
    static const char c[] =
        "alignas alignof and_eq asm auto bitand bitor bool catch char char16_t char32_t char8_t "
        "co_await co_return co_yield compl concept const_cast consteval constexpr constinit "
        "decltype delete double dynamic_cast explicit false float fortran friend goto inline long "
        "main mutable namespace noexcept not_eq nullptr operator or_eq private public register "
        "reinterpret_cast requires short sizeof static_assert static_cast std switch template "
        "thread_local throw true try typeid typename using volatile wchar_t xor_eq ";
    static const char library[] =
        "abort abs atexit atof atoi atol bsearch calloc clearerr div errno exit fclose feof "
        "ferror fflush fgetc fgets fopen fprintf fputc fputs fread free freopen fscanf fseek "
        "ftell fwrite getc getchar getenv gets int16_t int32_t int64_t int8_t labs ldiv malloc "
        "memchr memcmp memcpy memmove memset offsetof perror printf putc putchar puts qsort "
        "realloc remove rename rewind scanf setbuf setvbuf signal size_t sprintf srand sscanf "
        "stderr stdin stdout strcat strchr strcmp strcoll strcpy strcspn strerror strlen strncat "
        "strncmp strncpy strpbrk strrchr strspn strstr strtod strtok strtol strtoul strxfrm "
        "system tmpfile tmpnam uint16_t uint32_t uint64_t uint8_t ungetc vfprintf vprintf "
        "vsprintf ";

    return listed(verilog, s) || listed(system_verilog, s) || listed(c, s) || listed(library, s);
}

bool
nashc_is_top_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    return *s && strlen(s) <= MAX_NAME && strspn(s, letters) == strlen(s) && *s != '_' &&
           (*s < '0' || *s > '9') && strncmp(s, "nashc_", 6) != 0 && !is_word(s);
}
