#include "bennu/web/development/build_status.hpp"

#include <array>
#include <charconv>
#include <fstream>

namespace bennu {

namespace {

constexpr std::size_t most_output = 64 * 1024;
constexpr std::array<std::string_view, 3> states = {"ok", "building", "failed"};

Error malformed() {
    return Error(ErrorKind::invalid, "build_status", "the first line is no version with a state");
}

}  // namespace

std::string_view to_string(BuildStatus::State state) {
    return states.at(static_cast<std::size_t>(state));
}

Result<BuildStatus> parse_build_status(std::string_view text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    BuildStatus status;
    const auto [end, failed] =
        std::from_chars(line.data(), line.data() + line.size(), status.version);
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    if (failed != std::errc() || !rest.starts_with(' ')) return malformed();
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (rest.substr(1) != states.at(i)) continue;
        status.state = static_cast<BuildStatus::State>(i);
        if (line.size() < text.size())
            status.output = text.substr(line.size() + 1).substr(0, most_output);
        return status;
    }
    return malformed();
}

Result<BuildStatus> read_build_status(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error(ErrorKind::not_found, "build_status", "there is no file " + file);
    std::string text(most_output + 64, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return parse_build_status(text);
}

}  // namespace bennu
