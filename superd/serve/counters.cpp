#include "superd/serve/counters.h"

namespace superd {

namespace {
constexpr CounterEntry table[] = {
    {"accepted",           &Counters::accepted          },
    {"served",             &Counters::served            },
    {"received",           &Counters::received          },
    {"answered",           &Counters::answered          },
    {"bytes_in",           &Counters::bytes_in          },
    {"bytes_out",          &Counters::bytes_out         },
    {"full",               &Counters::full              },
    {"overloaded",         &Counters::overloaded        },
    {"refused_level",      &Counters::refused_level     },
    {"refused_client",     &Counters::refused_client    },
    {"refused_prefix",     &Counters::refused_prefix    },
    {"refused_rate",       &Counters::refused_rate      },
    {"refused_access",     &Counters::refused_access    },
    {"refused_hours",      &Counters::refused_hours     },
    {"refused_load",       &Counters::refused_load      },
    {"delayed",            &Counters::delayed           },
    {"tarpitted",          &Counters::tarpitted         },
    {"tarpit_full",        &Counters::tarpit_full       },
    {"timed_out_idle",     &Counters::timed_out_idle    },
    {"timed_out_slow",     &Counters::timed_out_slow    },
    {"timed_out_total",    &Counters::timed_out_total   },
    {"timed_out_linger",   &Counters::timed_out_linger  },
    {"reset_by_client",    &Counters::reset_by_client   },
    {"cut",                &Counters::cut               },
    {"failed",             &Counters::failed            },
    {"crashed",            &Counters::crashed           },
    {"held_back",          &Counters::held_back         },
    {"dropped_source",     &Counters::dropped_source    },
    {"dropped_rate",       &Counters::dropped_rate      },
    {"dropped_client",     &Counters::dropped_client    },
    {"dropped_queue",      &Counters::dropped_queue     },
    {"dropped_truncated",  &Counters::dropped_truncated },
    {"suppressed_answer",  &Counters::suppressed_answer },
    {"failed_answer",      &Counters::failed_answer     },
    {"kernel_drops",       &Counters::kernel_drops      },
    {"out_of_descriptors", &Counters::out_of_descriptors},
    {"out_of_memory",      &Counters::out_of_memory     },
    {"out_of_threads",     &Counters::out_of_threads    },
    {"engine_full",        &Counters::engine_full       },
    {"rows_full",          &Counters::rows_full         },
    {"unlogged",           &Counters::unlogged          },
    {"failed_accept",      &Counters::failed_accept     },
    {"dropped_key",        &Counters::dropped_key       },
    {"dropped_malformed",  &Counters::dropped_malformed },
    {"file_hits",          &Counters::file_hits         },
    {"file_misses",        &Counters::file_misses       },
    {"file_changes",       &Counters::file_changes      },
    {"file_evictions",     &Counters::file_evictions    },
    {"file_idle",          &Counters::file_idle         },
    {"file_refusals",      &Counters::file_refusals     },
    {"session_evictions",  &Counters::session_evictions },
};

static_assert(sizeof(Counters) == std::size(table) * sizeof(Counter), "every counter has its row");
}  // namespace

std::span<const CounterEntry> counter_table() noexcept { return table; }

}  // namespace superd
