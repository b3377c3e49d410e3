/* job.h: a job of passes/integer for each test, with nothing but memory behind it. */
#ifndef NASHC_TEST_JOB_H
#define NASHC_TEST_JOB_H

#include <stdlib.h>

#include "passes/integer/job.h"
#include "support.h"

static inline int
job_setup(void **state)
{
    si_job *job = calloc(1, sizeof(*job));

    *state = job;
    if (job)
        job->arena = nashc_arena_create();
    return job && job->arena ? 0 : -1;
}

static inline int
job_teardown(void **state)
{
    si_job *job = *state;

    assert_int_equal(job->status, NASHC_OK);
    si_job_end(job);
    nashc_arena_free(job->arena);
    free(job);
    return 0;
}

/* A test with a job as *state, which must not fail. */
#define JOB_TEST(f) cmocka_unit_test_setup_teardown(f, job_setup, job_teardown)

#endif
