#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

/// What the development loop (`./run dev`) last said of the build, in a file that it replaces:
///
///     7 failed
///     page.cpp:12: error: …
struct BuildStatus {
    enum class State : std::uint8_t { ok, building, failed };

    std::uint64_t version = 0;  ///< counts the programs that were built
    State state = State::ok;
    std::string output = {};  ///< what the compiler said, when it failed

    bool operator==(const BuildStatus&) const = default;
};

/// `ok`, `building` or `failed`.
std::string_view to_string(BuildStatus::State state);

/// Error `invalid` for anything else than the text above.
Result<BuildStatus> parse_build_status(std::string_view text);
/// Blocks. Of the output no more than the first 64 KiB are kept. Errors: `not_found`, `invalid`.
Result<BuildStatus> read_build_status(const std::string& file);

}  // namespace bennu
