#include "bennu/net/client/sse_parser.hpp"

#include <algorithm>
#include <charconv>

#include "bennu/base/utf8.hpp"

namespace bennu::net {

Result<> SseParser::feed(std::string_view bytes) {
    while (!bytes.empty() && !failed_) {
        if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view part = bytes.substr(0, end);
        if (line_.size() + part.size() + data_.size() > most_) {
            failed_ = true;
            break;
        }
        line_ += part;
        if (end == std::string_view::npos) break;
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        line();
        line_.clear();
    }
    if (failed_)
        return Error(ErrorKind::too_large, "event_too_large", "an event is longer than allowed");
    return {};
}

void SseParser::line() {
    std::string_view text = line_;
    if (std::exchange(first_, false)) text = without_byte_order_mark(text);
    if (text.empty()) return dispatch();
    const std::size_t colon = text.find(':');
    if (colon == 0) return;  // a comment
    std::string_view value;
    if (colon != std::string_view::npos) value = text.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(text.substr(0, colon), value);
}

void SseParser::field(std::string_view name, std::string_view value) {
    if (name == "data") {
        data_ += value;
        data_ += '\n';
    } else if (name == "event") {
        event_ = value;
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos) next_id_ = value;
    } else if (name == "retry") {
        std::uint32_t milliseconds = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), milliseconds);
        if (error == std::errc() && end == value.data() + value.size())
            retry_ = std::chrono::milliseconds(milliseconds);
    }
}

void SseParser::dispatch() {
    id_ = next_id_;
    std::string event = std::exchange(event_, {});
    if (data_.empty()) return;
    data_.pop_back();
    if (event.empty()) event = "message";
    events_.push_back({std::move(event), std::exchange(data_, {}), id_});
}

void SseParser::restart() {
    next_id_ = id_;
    line_.clear();
    data_.clear();
    event_.clear();
    first_ = true;
    after_cr_ = failed_ = false;
}

std::optional<ReceivedEvent> SseParser::take() {
    if (events_.empty()) return std::nullopt;
    ReceivedEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
}

}  // namespace bennu::net
