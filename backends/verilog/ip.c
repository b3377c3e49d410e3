/* ip.c: ip/component.xml, IP-XACT 1685-2009 of the stitched top (docs/reports.md, IP-XACT). */
#include "build.h"
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* Of a bus; tools of AMD read them to check what is connected. */
static void
parameter(FILE *f, const char *name, int64_t value)
{
    fprintf(f,
            "        <spirit:parameter><spirit:name>%s</spirit:name><spirit:value>%" PRId64
            "</spirit:value></spirit:parameter>\n",
            name, value);
}

static void
port_map(FILE *f, const char *logical, const char *base, const char *part)
{
    fprintf(f,
            "        <spirit:portMap><spirit:logicalPort><spirit:name>%s</spirit:name>"
            "</spirit:logicalPort><spirit:physicalPort><spirit:name>%s%s</spirit:name>"
            "</spirit:physicalPort></spirit:portMap>\n",
            logical, base, part);
}

/* Opens a bus interface, which the caller closes: types come in pairs, the bus and its signals
 * (_rtl). */
static void
bus_type(FILE *f, const char *name, const char *library, const char *type)
{
    fprintf(f,
            "    <spirit:busInterface>\n      <spirit:name>%s</spirit:name>\n"
            "      <spirit:busType spirit:vendor=\"xilinx.com\" spirit:library=\"%s\" "
            "spirit:name=\"%s\" spirit:version=\"1.0\"/>\n"
            "      <spirit:abstractionType spirit:vendor=\"xilinx.com\" spirit:library=\"%s\" "
            "spirit:name=\"%s_rtl\" spirit:version=\"1.0\"/>\n",
            name, library, type, library, type);
}

/* No TLAST and no side channels: frames are counted by beats. */
static void
stream_bus(FILE *f, const char *name, bool master, uint32_t padded)
{
    bus_type(f, name, "interface", "axis");
    fprintf(f, "      <spirit:%s/>\n      <spirit:portMaps>\n", master ? "master" : "slave");
    port_map(f, "TDATA", name, "_TDATA");
    port_map(f, "TVALID", name, "_TVALID");
    port_map(f, "TREADY", name, "_TREADY");
    fprintf(f, "      </spirit:portMaps>\n      <spirit:parameters>\n");
    parameter(f, "TDATA_NUM_BYTES", padded / 8);
    parameter(f, "HAS_TREADY", 1);
    parameter(f, "HAS_TLAST", 0);
    parameter(f, "TID_WIDTH", 0);
    parameter(f, "TDEST_WIDTH", 0);
    parameter(f, "TUSER_WIDTH", 0);
    fprintf(f, "      </spirit:parameters>\n    </spirit:busInterface>\n");
}

/* The slave of AXI-Lite of a layer's weights; its memory map has the name of its port. */
static void
lite_bus(FILE *f, const weight_port *p)
{
    bus_type(f, p->name, "interface", "aximm");
    fprintf(f,
            "      <spirit:slave><spirit:memoryMapRef spirit:memoryMapRef=\"%s\"/></spirit:slave>\n"
            "      <spirit:portMaps>\n",
            p->name);
    for (const lite_pin *l = lite_pins; l->name; l++) {
        char logical[16] = "", pin[16];
        for (size_t i = 0; l->name[i]; i++)
            logical[i] = (char)toupper((unsigned char)l->name[i]);
        snprintf(pin, sizeof pin, "_%s", l->name);
        port_map(f, logical, p->name, pin);
    }
    fprintf(f, "      </spirit:portMaps>\n      <spirit:parameters>\n"
               "        <spirit:parameter><spirit:name>PROTOCOL</spirit:name><spirit:value>AXI4LITE"
               "</spirit:value></spirit:parameter>\n");
    parameter(f, "DATA_WIDTH", 32);
    parameter(f, "ADDR_WIDTH", lite_address_bits(&p->w));
    fprintf(f, "      </spirit:parameters>\n    </spirit:busInterface>\n");
}

/* At least a page, as address maps of systems have it. */
static void
memory_maps(design *z, FILE *f)
{
    if (!tb_has_slaves(z))
        return;
    fprintf(f, "  <spirit:memoryMaps>\n");
    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++) {
        int64_t range = (int64_t)1 << lite_address_bits(&p->w);
        if (p->w.written)
            fprintf(
                f,
                "    <spirit:memoryMap><spirit:name>%s</spirit:name><spirit:addressBlock>"
                "<spirit:name>Reg0</spirit:name><spirit:baseAddress>0</spirit:baseAddress>"
                "<spirit:range>%" PRId64 "</spirit:range><spirit:width>32</spirit:width>"
                "<spirit:usage>memory</spirit:usage></spirit:addressBlock></spirit:memoryMap>\n",
                p->name, range > 4096 ? range : 4096);
    }
    fprintf(f, "  </spirit:memoryMaps>\n");
}

/* ASSOCIATED_BUSIF names every bus: without it Vivado takes the interfaces for asynchronous. */
static void
clock_and_reset(design *z, FILE *f)
{
    bus_type(f, "ap_clk", "signal", "clock");
    fprintf(f, "      <spirit:slave/>\n      <spirit:portMaps>\n");
    port_map(f, "CLK", "ap_clk", "");
    fprintf(f, "      </spirit:portMaps>\n      <spirit:parameters>\n"
               "        <spirit:parameter><spirit:name>ASSOCIATED_BUSIF</spirit:name>"
               "<spirit:value>");
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        fprintf(f, "%ss_axis_%d", i ? ":" : "", i);
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        fprintf(f, ":m_axis_%d", i);
    for (int i = 0; i < z->n_weights; i++)
        fprintf(f, ":%s", z->weights[i].name);
    fprintf(f, "</spirit:value></spirit:parameter>\n"
               "        <spirit:parameter><spirit:name>ASSOCIATED_RESET</spirit:name>"
               "<spirit:value>ap_rst_n</spirit:value></spirit:parameter>\n");
    fprintf(f,
            "        <spirit:parameter><spirit:name>FREQ_HZ</spirit:name><spirit:value "
            "spirit:resolve=\"user\" spirit:id=\"BUSIFPARAM_VALUE.AP_CLK.FREQ_HZ\">%.0f"
            "</spirit:value></spirit:parameter>\n",
            1e9 / z->clk_ns);
    fprintf(f, "      </spirit:parameters>\n    </spirit:busInterface>\n");
    bus_type(f, "ap_rst_n", "signal", "reset");
    fprintf(f, "      <spirit:slave/>\n      <spirit:portMaps>\n");
    port_map(f, "RST", "ap_rst_n", "");
    fprintf(f, "      </spirit:portMaps>\n      <spirit:parameters>\n"
               "        <spirit:parameter><spirit:name>POLARITY</spirit:name><spirit:value>"
               "ACTIVE_LOW</spirit:value></spirit:parameter>\n"
               "      </spirit:parameters>\n    </spirit:busInterface>\n");
}

/* A vector only beyond one bit, as a port of one bit is a scalar in the Verilog, too. */
static void
model_port(FILE *f, const char *base, const char *part, bool out, uint32_t bits)
{
    fprintf(f,
            "      <spirit:port><spirit:name>%s%s</spirit:name><spirit:wire><spirit:direction>%s"
            "</spirit:direction>",
            base, part, out ? "out" : "in");
    if (bits > 1)
        fprintf(f,
                "<spirit:vector><spirit:left>%u</spirit:left><spirit:right>0</spirit:right>"
                "</spirit:vector>",
                bits - 1);
    fprintf(f, "</spirit:wire></spirit:port>\n");
}

/* Paths are relative to ip/. Images are no Verilog; the type makes Vivado copy them along. */
static void
file_set(design *z, FILE *f, const char *name)
{
    fprintf(f, "    <spirit:fileSet>\n      <spirit:name>%s</spirit:name>\n", name);
    for (int i = 0; i < z->n_files; i++) {
        size_t n = strlen(z->files[i]);
        bool v = n > 2 && strcmp(z->files[i] + n - 2, ".v") == 0;
        fprintf(f,
                "      <spirit:file><spirit:name>../rtl/%s</spirit:name><spirit:%s>%s</spirit:%s>"
                "</spirit:file>\n",
                z->files[i], v ? "fileType" : "userFileType", v ? "verilogSource" : "mem_init",
                v ? "fileType" : "userFileType");
    }
    fprintf(f, "    </spirit:fileSet>\n");
}

/* Twice: as bus interfaces, then as ports of the model. s_axis_K and m_axis_K as in top.c. */
static void
each_stream(design *z, FILE *f, bool bus)
{
    for (int side = 0; side < 2; side++) {
        int n = side ? nashc_graph_n_outputs(z->f) : nashc_graph_n_inputs(z->f);
        for (int i = 0; i < n; i++) {
            const nashc_value *v = side ? nashc_graph_output(z->f, i) : nashc_graph_input(z->f, i);
            const link *l = &z->links[nashc_value_id(v)];
            const char *name = nashc_arena_printf(z->a, "%c_axis_%d", side ? 'm' : 's', i);
            if (bus) {
                stream_bus(f, name, side, l->padded);
                continue;
            }
            model_port(f, name, "_TDATA", side, l->padded);
            model_port(f, name, "_TVALID", side, 1);
            model_port(f, name, "_TREADY", !side, 1);
        }
    }
}

/* The same for weights, in the order of top.c. */
static void
each_weight_port(design *z, FILE *f, bool bus)
{
    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++) {
        if (bus && p->w.streamed)
            stream_bus(f, p->name, false, p->padded);
        else if (bus)
            lite_bus(f, p);
        for (const lite_pin *l = lite_pins; !bus && p->w.written && l->name; l++) {
            char pin[16];
            snprintf(pin, sizeof pin, "_%s", l->name);
            model_port(f, p->name, pin, l->out,
                       (uint32_t)(l->bits ? l->bits : lite_address_bits(&p->w)));
        }
        if (!bus && p->w.streamed) {
            model_port(f, p->name, "_TDATA", false, p->padded);
            model_port(f, p->name, "_TVALID", false, 1);
            model_port(f, p->name, "_TREADY", true, 1);
        }
    }
}

static void
view(design *z, FILE *f, const char *name, const char *id, const char *files)
{
    fprintf(f,
            "      <spirit:view><spirit:name>%s</spirit:name><spirit:envIdentifier>%s"
            "</spirit:envIdentifier><spirit:language>verilog</spirit:language>"
            "<spirit:modelName>%s</spirit:modelName><spirit:fileSetRef><spirit:localName>%s"
            "</spirit:localName></spirit:fileSetRef></spirit:view>\n",
            name, id, z->top, files);
}

/* Vendor and library are those of FINN's own designs, so that its scripts find this one in their
 * place. */
nashc_status
write_ip(design *z)
{
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    fprintf(t.f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<spirit:component xmlns:xilinx=\"http://www.xilinx.com\" "
            "xmlns:spirit=\"http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009\" "
            "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
            "  <spirit:vendor>xilinx_finn</spirit:vendor>\n"
            "  <spirit:library>finn</spirit:library>\n"
            "  <spirit:name>%s</spirit:name>\n  <spirit:version>1.0</spirit:version>\n"
            "  <spirit:busInterfaces>\n",
            z->top);
    each_stream(z, t.f, true);
    each_weight_port(z, t.f, true);
    clock_and_reset(z, t.f);
    fprintf(t.f, "  </spirit:busInterfaces>\n");
    memory_maps(z, t.f);
    fprintf(t.f, "  <spirit:model>\n    <spirit:views>\n");
    view(z, t.f, "xilinx_anylanguagesynthesis", ":vivado.xilinx.com:synthesis",
         "xilinx_anylanguagesynthesis_view_fileset");
    view(z, t.f, "xilinx_anylanguagebehavioralsimulation", ":vivado.xilinx.com:simulation",
         "xilinx_anylanguagebehavioralsimulation_view_fileset");
    fprintf(t.f, "    </spirit:views>\n    <spirit:ports>\n");
    model_port(t.f, "ap_clk", "", false, 1);
    model_port(t.f, "ap_rst_n", "", false, 1);
    each_stream(z, t.f, false);
    each_weight_port(z, t.f, false);
    fprintf(t.f, "    </spirit:ports>\n  </spirit:model>\n  <spirit:fileSets>\n");
    file_set(z, t.f, "xilinx_anylanguagesynthesis_view_fileset");
    file_set(z, t.f, "xilinx_anylanguagebehavioralsimulation_view_fileset");
    fprintf(t.f, "  </spirit:fileSets>\n"
                 "  <spirit:description>streaming dataflow accelerator</spirit:description>\n"
                 "  <spirit:vendorExtensions><xilinx:coreExtensions>"
                 "<xilinx:taxonomies><xilinx:taxonomy>/UserIP</xilinx:taxonomy>"
                 "</xilinx:taxonomies><xilinx:coreRevision>2</xilinx:coreRevision>"
                 "</xilinx:coreExtensions></spirit:vendorExtensions>\n</spirit:component>\n");
    return text_write(&t, z->dir, "ip/component.xml", z->d);
}
