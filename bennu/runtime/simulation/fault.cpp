#include "bennu/runtime/simulation/fault.hpp"

#include <fmt/format.h>

#include <charconv>

namespace bennu {

namespace {

constexpr std::array<std::string_view, fault_kinds> names{
    "kill",      "partition",  "clock_jump",     "suspend",     "reset",
    "loss",      "delay",      "slow_job",       "refused_job", "failed_allocation",
    "link_drop", "link_delay", "link_duplicate", "link_reorder"};

constexpr std::array<std::string_view, fault_steps> step_names{"write", "job", "allocation",
                                                               "message over a link"};

bool has_amount(FaultKind kind) {
    switch (kind) {
        case FaultKind::kill:
        case FaultKind::reset:
        case FaultKind::refused_job:
        case FaultKind::failed_allocation:
        case FaultKind::link_drop:
        case FaultKind::link_duplicate:
            return false;
        default:
            return true;
    }
}

std::vector<std::string_view> split(std::string_view text, char at, std::size_t most) {
    std::vector<std::string_view> parts;
    while (parts.size() + 1 < most) {
        std::size_t end = text.find(at);
        if (end == std::string_view::npos) break;
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    parts.push_back(text);
    return parts;
}

template <typename N>
bool read(std::string_view text, N& number) {
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc{} && end == text.data() + text.size();
}

bool read(std::string_view text, Duration& duration) {
    std::int64_t ns = 0;
    if (!read(text, ns)) return false;
    duration = Duration(ns);
    return true;
}

Result<SimFault> parse_fault(std::string_view text) {
    auto parts = split(text, ':', 7);
    auto kind = std::find(names.begin(), names.end(), parts[0]);
    SimFault fault;
    if (parts.size() < 6 || kind == names.end() || !read(parts[1], fault.run) ||
        !read(parts[2], fault.at) || !read(parts[3], fault.step) || !read(parts[4], fault.pick) ||
        !read(parts[5], fault.amount)) {
        return Error(ErrorKind::invalid, "malformed_fault", fmt::format("no fault: \"{}\"", text));
    }
    fault.kind = static_cast<FaultKind>(kind - names.begin());
    if (parts.size() == 7) fault.target = parts[6];
    return fault;
}

}  // namespace

std::string_view to_string(FaultKind kind) {
    return names[static_cast<std::size_t>(kind)];
}

bool strikes_at_a_moment(FaultKind kind) {
    return kind <= FaultKind::suspend;
}

FaultStep step_of(FaultKind kind) {
    if (kind <= FaultKind::delay) return FaultStep::write;
    if (kind <= FaultKind::refused_job) return FaultStep::job;
    if (kind == FaultKind::failed_allocation) return FaultStep::allocation;
    return FaultStep::link;
}

bool SimFault::operator==(const SimFault& other) const {
    return kind == other.kind && at == other.at && step == other.step && pick == other.pick &&
           amount == other.amount && target == other.target && run == other.run;
}

std::string SimFault::describe() const {
    std::string text =
        strikes_at_a_moment(kind)
            ? fmt::format("{} at {:.6f} s", to_string(kind), static_cast<double>(at.count()) / 1e9)
            : fmt::format("{} at {} {}", to_string(kind),
                          step_names[static_cast<std::size_t>(step_of(kind))], step);
    if (has_amount(kind)) text += fmt::format(" ({})", bennu::to_string(amount));
    if (run > 0) text += fmt::format(", in run {}", run + 1);
    if (!target.empty()) text += ", target " + target;
    if (!hit.empty()) text += ": " + hit;
    return text;
}

std::string to_text(const std::vector<SimFault>& faults) {
    std::string text;
    for (const SimFault& fault : faults) {
        if (!text.empty()) text += ' ';
        text += fmt::format("{}:{}:{}:{}:{}:{}", to_string(fault.kind), fault.run, fault.at.count(),
                            fault.step, fault.pick, fault.amount.count());
        if (!fault.target.empty()) text += ":" + fault.target;
    }
    return text;
}

Result<std::vector<SimFault>> parse_faults(std::string_view text) {
    std::vector<SimFault> faults;
    for (std::string_view part : split(text, ' ', std::string_view::npos)) {
        if (part.empty()) continue;
        Result<SimFault> fault = parse_fault(part);
        if (!fault) return std::move(fault).error();
        faults.push_back(*std::move(fault));
    }
    return faults;
}

double FaultOptions::rate(FaultKind kind) const {
    switch (kind) {
        case FaultKind::kill:
            return kills;
        case FaultKind::partition:
            return partitions;
        case FaultKind::clock_jump:
            return clock_jumps;
        case FaultKind::suspend:
            return suspends;
        case FaultKind::reset:
            return resets;
        case FaultKind::loss:
            return losses;
        case FaultKind::delay:
            return delays;
        case FaultKind::slow_job:
            return slow_jobs;
        case FaultKind::refused_job:
            return refused_jobs;
        case FaultKind::failed_allocation:
            return failed_allocations;
        case FaultKind::link_drop:
            return link_drops;
        case FaultKind::link_delay:
            return link_delays;
        case FaultKind::link_duplicate:
            return link_duplicates;
        case FaultKind::link_reorder:
            return link_reorders;
    }
    return 0;
}

}  // namespace bennu
