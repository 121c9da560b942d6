#pragma once

#include <string>
#include <string_view>

#include "bennu/base/json.hpp"

namespace assetronics::tools {

/// `12,345`
std::string grouped(std::int64_t number);
/// Without control characters, which could drive the terminal, and not longer than `most` bytes.
std::string printable(std::string_view text, std::size_t most = 100);

/// `[########------------]  40%  2,000 of 5,000 rows, 3 bad`
std::string progress_line(const bennu::Json& import);
/// What became of an import, in lines for people; `download` is where all bad rows are.
std::string import_report(const bennu::Json& import, std::string_view download);
/// 0: every row is in; 2: some are not; 1: it failed.
int import_status(const bennu::Json& import);

}  // namespace assetronics::tools
