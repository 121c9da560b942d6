#pragma once

#include <span>

#include "bennu/runtime/simulation/harness.hpp"

namespace bennu::detail {

/// What a page about a failing simulation shows.
struct FailurePage {
    const SimFailure& failure;
    std::string replay;
    std::vector<SimFault> faults;
    std::span<const SimOutcome> runs;  ///< traced
    bool unrepeated = false;           ///< this run did not fail, though an equal one did
};

/// Self-contained HTML: everybody's life line, the messages between them, faults and exits.
std::string failure_page(const FailurePage& page);
/// Writes it; its path, from the root of the source tree.
Result<std::string> write_failure_page(const FailurePage& page);

/// The page without its data, which replaces `@data@`.
extern const char* const failure_page_template;

}  // namespace bennu::detail
