#pragma once

#include <map>
#include <string>

#include "superd/lab/trace.h"

namespace superd {

/// Names of addresses, where they were asked for.
using HopNames = std::map<AddressBits, std::string>;

/// Those of all hops that have one, by reverse look-ups (getnameinfo(3)): slow, so afterwards.
[[nodiscard]] HopNames names_of(const Tracer& tracer);
/// A line for each hop; hops without an answer that follow each other are one.
[[nodiscard]] std::string trace_text(const Tracer& tracer, const HopNames& names);
/// The same as one JSON object.
[[nodiscard]] std::string trace_json(const Tracer& tracer, const HopNames& names, const std::string& target,
                                     const char* how);

}  // namespace superd
