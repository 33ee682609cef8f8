#include "superd/net/icmp_names.h"

#include <span>
#include <string_view>

namespace superd {
namespace {

constexpr int any = -1;
struct Name {
  int type, code;
  std::string_view text;
};

// RFC 792, RFC 1122 (3.2.2.1), RFC 1812 (5.2.7.1), and the registry of IANA. A row for a code stands before its type's.
constexpr Name names_v4[] = {
    {0,  any, "echo reply"                                  },
    {3,  0,   "network unreachable"                         },
    {3,  1,   "host unreachable"                            },
    {3,  2,   "protocol unreachable"                        },
    {3,  3,   "port unreachable"                            },
    {3,  4,   "fragmentation needed"                        },
    {3,  5,   "source route failed"                         },
    {3,  6,   "network unknown"                             },
    {3,  7,   "host unknown"                                },
    {3,  9,   "network prohibited"                          },
    {3,  10,  "host prohibited"                             },
    {3,  11,  "network unreachable for this type of service"},
    {3,  12,  "host unreachable for this type of service"   },
    {3,  13,  "prohibited by a filter"                      },
    {3,  14,  "host precedence violation"                   },
    {3,  15,  "precedence cut off"                          },
    {3,  any, "unreachable"                                 },
    {4,  any, "source quench"                               },
    {5,  0,   "redirect for the network"                    },
    {5,  any, "redirect for the host"                       },
    {8,  any, "echo request"                                },
    {9,  any, "router advertisement"                        },
    {10, any, "router solicitation"                         },
    {11, 0,   "time exceeded in transit"                    },
    {11, 1,   "time exceeded in reassembly"                 },
    {11, any, "time exceeded"                               },
    {12, any, "parameter problem"                           },
    {13, any, "timestamp request"                           },
    {14, any, "timestamp reply"                             },
    {17, any, "address mask request"                        },
    {18, any, "address mask reply"                          },
    {42, any, "extended echo request"                       },
    {43, any, "extended echo reply"                         },
};

// RFC 4443, RFC 4861, RFC 2710, RFC 3810.
constexpr Name names_v6[] = {
    {1,   0,   "no route"                        },
    {1,   1,   "prohibited by a filter"          },
    {1,   2,   "beyond the scope of the source"  },
    {1,   3,   "address unreachable"             },
    {1,   4,   "port unreachable"                },
    {1,   5,   "source address failed the policy"},
    {1,   6,   "route rejected"                  },
    {1,   any, "unreachable"                     },
    {2,   any, "packet too big"                  },
    {3,   0,   "time exceeded in transit"        },
    {3,   1,   "time exceeded in reassembly"     },
    {3,   any, "time exceeded"                   },
    {4,   any, "parameter problem"               },
    {128, any, "echo request"                    },
    {129, any, "echo reply"                      },
    {130, any, "multicast listener query"        },
    {131, any, "multicast listener report"       },
    {132, any, "multicast listener done"         },
    {133, any, "router solicitation"             },
    {134, any, "router advertisement"            },
    {135, any, "neighbour solicitation"          },
    {136, any, "neighbour advertisement"         },
    {137, any, "redirect"                        },
    {143, any, "multicast listener report"       },
};

}  // namespace

std::string icmp_name(IcmpVersion version, std::uint8_t type, std::uint8_t code) {
  const auto names = version == IcmpVersion::v4 ? std::span<const Name>(names_v4) : std::span<const Name>(names_v6);
  for (const auto& name : names)
    if (name.type == type && (name.code == any || name.code == code)) return std::string(name.text);
  return "type " + std::to_string(type) + " code " + std::to_string(code);
}

}  // namespace superd
