#pragma once

#include <string>

namespace superd {

/// The tables of services, designs and engines as JSON (`superd --list`), for programs: the tests run every row.
[[nodiscard]] std::string tables_as_json();

}  // namespace superd
