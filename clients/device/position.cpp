#include "clients/device/position.hpp"

#include <optional>
#include <utility>

#include "clients/device/json_scan.hpp"

namespace bennu::device {

namespace {

std::optional<std::pair<std::string, std::int64_t>> number_of(std::string_view payload) {
    const auto at = json_member(payload, "_at");
    if (!at) return std::nullopt;
    JsonScanner scan(*at);
    std::pair<std::string, std::int64_t> number;
    const bool whole = scan.character('[') && scan.string(number.first) && scan.character(',') &&
                       scan.integer(number.second) && scan.character(']');
    return whole ? std::optional(std::move(number)) : std::nullopt;
}

}  // namespace

Position read_position(std::string_view json) {
    JsonScanner scan(json);
    Position position;
    if (!scan.character('{') || scan.character('}')) return {};
    do {
        std::string epoch;
        std::int64_t sequence = 0;
        if (!scan.string(epoch) || !scan.character(':') || !scan.integer(sequence)) return {};
        position[std::move(epoch)] = sequence;
    } while (scan.character(','));
    return scan.character('}') && scan.end() ? position : Position();
}

std::string write_position(const Position& position) {
    std::string out = "{";
    for (const auto& [epoch, sequence] : position) {
        if (out.size() > 1) out += ',';
        append_json(out, epoch);
        out += ':';
        out += std::to_string(sequence);
    }
    return out + '}';
}

JoinedAt read_join(std::string_view response, Asked asked) {
    JoinedAt joined;
    std::string status;
    if (const auto resume = json_member(response, "resume")) {
        joined.durable = is_json_object(*resume);
        if (const auto text = json_member(*resume, "status")) JsonScanner(*text).string(status);
        joined.position = read_position(json_member(*resume, "position").value_or("{}"));
    }
    if (status == "resumed") {
        joined.how = Continuation::resumed;
    } else if (status == "resync" || (asked == Asked::yes && status != "new")) {
        // A server that does not know the wire (any more) gives nothing of what was missed.
        joined.how = Continuation::resync;
    }
    return joined;
}

bool is_new(const Position& position, std::string_view payload) {
    const auto number = number_of(payload);
    if (!number) return true;
    const auto known = position.find(number->first);
    return known == position.end() || number->second > known->second;
}

void note_handled(Position& position, std::string_view payload) {
    if (!is_new(position, payload)) return;
    if (auto number = number_of(payload)) position[std::move(number->first)] = number->second;
}

}  // namespace bennu::device
