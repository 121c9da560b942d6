#include "bennu/runtime/exit.hpp"

#include <fmt/format.h>

#include "bennu/runtime/task.hpp"

namespace bennu {

std::string Pid::to_string() const {
    return fmt::format("<{}.{}.{}>", shard(), slot(), generation_);
}

std::string_view to_string(ExitReason::Kind kind) {
    switch (kind) {
        case ExitReason::Kind::normal:
            return "normal";
        case ExitReason::Kind::shutdown:
            return "shutdown";
        case ExitReason::Kind::killed:
            return "killed";
        case ExitReason::Kind::fault:
            return "fault";
        case ExitReason::Kind::noproc:
            return "noproc";
    }
    return "unknown";
}

ExitReason ExitReason::killed(std::string why) {
    if (why.empty()) return ExitReason(Kind::killed, {});
    return ExitReason(Kind::killed, make_shared_value<Details>(Details{std::move(why), {}}));
}

namespace {

/// Of a chain of awaiting tasks, the innermost are kept: a recursion repeats itself.
constexpr std::size_t most_awaits = 64;

}  // namespace

ExitReason ExitReason::from_fault(const Fault& fault) {
    Details details{fault.describe(), {}};
    for (const std::source_location& where : fault.awaits) {
        if (where.line() == 0) continue;
        if (details.awaits.size() == most_awaits) {
            details.awaits.push_back(fmt::format("… of {} awaits in all", fault.awaits.size()));
            break;
        }
        details.awaits.push_back(
            fmt::format("{}:{} {}", where.file_name(), where.line(), where.function_name()));
    }
    return ExitReason(Kind::fault, make_shared_value<Details>(std::move(details)));
}

std::string ExitReason::describe() const {
    std::string text(bennu::to_string(kind_));
    if (details_ && !details_->text.empty()) text.append(": ").append(details_->text);
    return text;
}

const std::vector<std::string>& ExitReason::awaits() const {
    static const std::vector<std::string> none;
    return details_ ? details_->awaits : none;
}

}  // namespace bennu
