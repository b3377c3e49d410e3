/* warnings.c: the warnings of the host, nashc_warn_<name>, and names in -W that no warning has. */
#include "host.h"

const nashc_warn nashc_warn_device_full = {
    NASHC_DESC(nashc_warn),
    .name = "device-full",
    .help = "the layers need more than the device has; take a larger --device, a lower "
            "--target-fps or fewer bits",
};

const nashc_warn nashc_warn_fifo_effort = {
    NASHC_DESC(nashc_warn),
    .name = "fifo-effort",
    .help = "FIFOs may take a memory more than they must, as to try less would take long; depths "
            "of a --folding file are taken as they are",
};

const nashc_warn nashc_warn_fifo_interval = {
    NASHC_DESC(nashc_warn),
    .name = "fifo-interval",
    .help = "with the FIFOs chosen a frame takes longer than in the slowest layer; a "
            "--folding file may ask for deeper ones",
};

const nashc_warn nashc_warn_plugin_skipped = {
    NASHC_DESC(nashc_warn),
    .name = "plugin-skipped",
    .help = "a plugin that lies where plugins are looked for cannot be loaded; rebuild or "
            "remove it",
};

const nashc_warn nashc_warn_target_missed = {
    NASHC_DESC(nashc_warn),
    .name = "target-missed",
    .help = "the design stays a little below the rate asked for; ask for the rate that the "
            "message names, or for a shorter clock",
};

const nashc_warn nashc_warn_unchecked = {
    NASHC_DESC(nashc_warn),
    .name = "unchecked",
    .help = "what a pass made is not compared, as the graph before it cannot be run; `nashc "
            "run` on that graph says why",
};

const nashc_warn nashc_warn_unknown_attribute = {
    NASHC_DESC(nashc_warn),
    .name = "unknown-attribute",
    .help = "an attribute that its operator or layer does not have has no effect; correct "
            "its name, or the version that the file imports",
};

const nashc_warn nashc_warn_unknown_warning = {
    NASHC_DESC(nashc_warn),
    .name = "unknown-warning",
    .help = "-W names a warning that nobody has; `nashc list warnings` shows them all",
};

/* --- names in -W ----------------------------------------------------------------------------- */

nashc_status
nashc_check_warn_option(nashc_ctx *c, const char *option, nashc_diag *d)
{
    const char *name = nashc_warn_option_name(option);
    if (!name || nashc_find(c, NASHC_D_WARNING, name))
        return NASHC_OK;
    int before = d ? nashc_diag_count(d, NASHC_ERROR) : 0;
    const char *near = nashc_nearest(d, name, nashc_names(c, NASHC_D_WARNING));
    nashc_warning(d, NULL, "unknown-warning", "-W%s: there is no warning \"%s\"%s%s",
                  nashc_quote(d, option), nashc_quote(d, name), near[0] ? "; " : "", near);
    nashc_help(d, "see `nashc list warnings`; a plugin may report one that it does not list, which "
                  "the option still rules");
    return d && nashc_diag_count(d, NASHC_ERROR) > before ? NASHC_EUSAGE : NASHC_OK;
}
