/* flowseen.c: simulations that were done, so that a design which is sized, measured and written is
 * simulated once.
 *
 * The key of a simulation is the SHA-256 of all that it goes by: steps, pipelines and buffers of
 * the machines, and which of them are connected. Machines and channels are numbered from the inputs
 * of the graph on, along the ports, so a FIFO that was assumed when depths were chosen and the
 * layer that it became count as the same. A context keeps the last few.
 */
#include "flowsim.h"
#include "host.h"
#include <sha256.h>
#include <string.h>

#define KEPT 4

typedef struct seen {
    flow_key key;
    nashc_flow_result r;
    uint32_t *most; /* by number of the channel: most tokens held */
} seen;

struct flow_seen {
    seen entry[KEPT];
    uint32_t next; /* to be replaced */
};

/* Numbers of machines and channels, from 1 on; 0: not met yet. */
typedef struct numbering {
    const flow_sim *s;
    uint32_t *machine, *channel, *order; /* machines by number */
    uint32_t n_machines, n_channels;
} numbering;

static void
meet_machine(numbering *z, const flow_machine *m)
{
    if (!m || z->machine[m - z->s->machines] > 0)
        return;
    z->order[z->n_machines] = (uint32_t)(m - z->s->machines);
    z->machine[m - z->s->machines] = ++z->n_machines;
}

static void
meet_channel(numbering *z, const flow_channel *c)
{
    uint32_t *n = &z->channel[c - z->s->channels];

    if (*n > 0)
        return;
    *n = ++z->n_channels;
    meet_machine(z, c->from);
    meet_machine(z, c->to);
}

static bool
number(numbering *z, const flow_sim *s)
{
    size_t all = 2 * (size_t)s->n_machines + s->n_channels + 1;

    *z = (numbering){.s = s, .machine = nashc_mem_calloc(all, sizeof *z->machine)};
    if (!z->machine)
        return false;
    z->order = z->machine + s->n_machines;
    z->channel = z->order + s->n_machines;
    for (uint32_t k = 0; k < s->n_channels; k++)
        if (s->channels[k].source)
            meet_channel(z, &s->channels[k]);
    for (uint32_t i = 0, rest = 0; rest < s->n_machines; i++) {
        while (i == z->n_machines && rest < s->n_machines) /* what no input leads to */
            meet_machine(z, &s->machines[rest++]);
        if (i == z->n_machines)
            break;
        const flow_machine *m = &s->machines[z->order[i]];
        for (uint32_t k = 0; k < m->n_in; k++)
            meet_channel(z, m->in[k]);
        for (uint32_t k = 0; k < m->n_out; k++)
            meet_channel(z, m->out[k]);
    }
    return true;
}

static void
hash_marks(SHA256_CTX *h, const flow_marks *k)
{
    const uint32_t word[] = {k->ports, k->at, k->every};

    SHA256Update(h, (const uint8_t *)word, sizeof word);
}

static void
hash_pattern(SHA256_CTX *h, const flow_pattern *p)
{
    const uint64_t head[] = {p->n_runs, p->times, (uint64_t)p->bulk_in, (uint64_t)p->bulk_out};

    SHA256Update(h, (const uint8_t *)head, sizeof head);
    for (size_t i = 0; i < p->n_runs; i++) {
        const flow_run *r = &p->runs[i];
        const uint64_t word[] = {r->n, r->take, r->give};
        SHA256Update(h, (const uint8_t *)word, sizeof word);
        hash_marks(h, &r->reads);
        hash_marks(h, &r->writes);
        hash_marks(h, &r->fills);
    }
}

static void
hash_channel(SHA256_CTX *h, const numbering *z, const flow_channel *c)
{
    const uint64_t word[] = {z->channel[c - z->s->channels],
                             c->depth,
                             c->lag,
                             c->source,
                             c->logged,
                             c->data.n,
                             c->space.n,
                             c->to == NULL};

    SHA256Update(h, (const uint8_t *)word, sizeof word);
}

bool
flow_seen_key(const flow_sim *s, uint32_t max_frames, flow_key *out)
{
    numbering z;
    SHA256_CTX h;

    if (!number(&z, s))
        return false;
    const uint64_t head[] = {z.n_machines, z.n_channels, max_frames, s->z->slowest};
    SHA256Init(&h);
    SHA256Update(&h, (const uint8_t *)head, sizeof head);
    for (uint32_t i = 0; i < z.n_machines; i++) {
        const flow_machine *m = &s->machines[z.order[i]];
        const uint64_t word[] = {m->latency, m->n_in, m->n_out};
        SHA256Update(&h, (const uint8_t *)word, sizeof word);
        hash_pattern(&h, m->p);
        for (uint32_t k = 0; k < m->n_in; k++)
            hash_channel(&h, &z, m->in[k]);
        for (uint32_t k = 0; k < m->n_out; k++)
            hash_channel(&h, &z, m->out[k]);
    }
    SHA256Final(out->sha256, &h);
    nashc_mem_free(z.machine);
    return true;
}

static nashc_ctx *
ctx_of(const flow_sim *s)
{
    return nashc_module_ctx(nashc_graph_module(s->z->g));
}

bool
flow_seen_get(const flow_sim *s, const flow_key *key, nashc_flow_result *r)
{
    const struct flow_seen *all = ctx_of(s)->flow_seen;
    const seen *e = NULL;
    numbering z;

    for (uint32_t i = 0; i < KEPT && all && !e; i++)
        if (all->entry[i].most && memcmp(&all->entry[i].key, key, sizeof *key) == 0)
            e = &all->entry[i];
    if (!e || !number(&z, s))
        return false;
    uint32_t *occupancy = r->occupancy;
    *r = e->r;
    r->occupancy = occupancy;
    for (uint32_t id = 0; id < s->z->n_ids && occupancy; id++)
        if (s->stream[id])
            occupancy[id] = e->most[z.channel[s->stream[id] - s->channels] - 1];
    nashc_mem_free(z.machine);
    return true;
}

void
flow_seen_put(const flow_sim *s, const flow_key *key, const nashc_flow_result *r)
{
    nashc_ctx *c = ctx_of(s);
    uint32_t *most = nashc_mem_calloc(s->n_channels + 1, sizeof *most);
    numbering z;

    if (!c->flow_seen)
        c->flow_seen = nashc_mem_calloc(1, sizeof *c->flow_seen);
    if (!most || !c->flow_seen || !number(&z, s)) { /* then it is simulated once more */
        nashc_mem_free(most);
        return;
    }
    seen *e = &c->flow_seen->entry[c->flow_seen->next];
    c->flow_seen->next = (c->flow_seen->next + 1) % KEPT;
    nashc_mem_free(e->most);
    *e = (seen){.key = *key, .r = *r, .most = most};
    e->r.occupancy = NULL;
    for (uint32_t k = 0; k < s->n_channels; k++)
        most[z.channel[k] - 1] = (uint32_t)s->channels[k].most;
    nashc_mem_free(z.machine);
}

void
flow_seen_free(struct flow_seen *all)
{
    for (uint32_t i = 0; all && i < KEPT; i++)
        nashc_mem_free(all->entry[i].most);
    nashc_mem_free(all);
}
