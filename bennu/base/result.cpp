#include "bennu/base/result.hpp"

#include <array>

namespace bennu {

struct Error::Details {
    std::string code;
    std::string message;
    std::vector<FieldError> fields;
};

void Error::DetailsDeleter::operator()(Details* details) const {
    delete details;
}

std::string_view to_string(ErrorKind kind) {
    static constexpr std::array<std::string_view, 14> names{
        "invalid",   "unauthorized", "forbidden",  "not_found", "conflict",
        "too_large", "unsupported",  "overloaded", "timeout",   "cancelled",
        "closed",    "unavailable",  "io",         "internal"};
    return names[static_cast<std::size_t>(kind)];
}

Error::Error(ErrorKind kind, std::string code, std::string message) : kind_(kind) {
    if (code.empty() && message.empty()) return;
    details_.reset(new Details{std::move(code), std::move(message), {}});
}

Error::Error(const Error& other) : kind_(other.kind_) {
    if (other.details_) details_.reset(new Details(*other.details_));
}

Error& Error::operator=(const Error& other) {
    if (this != &other) *this = Error(other);
    return *this;
}

Error Error::field(std::string field, std::string code, std::string message) {
    return invalid({FieldError{std::move(field), std::move(code), std::move(message)}});
}

Error Error::invalid(std::vector<FieldError> fields) {
    Error error(ErrorKind::invalid, "invalid", "the input is invalid");
    error.details_->fields = std::move(fields);
    return error;
}

std::string_view Error::code() const {
    if (details_ && !details_->code.empty()) return details_->code;
    return to_string(kind_);
}

std::string_view Error::message() const {
    return details_ ? std::string_view(details_->message) : std::string_view();
}

const std::vector<FieldError>& Error::fields() const {
    static const std::vector<FieldError> none;
    return details_ ? details_->fields : none;
}

Error Error::with_context(std::string_view context) && {
    if (!details_) details_.reset(new Details{});
    std::string message(context);
    if (!details_->message.empty()) message.append(": ").append(details_->message);
    details_->message = std::move(message);
    return std::move(*this);
}

std::string Error::describe() const {
    std::string text(to_string(kind_));
    if (code() != to_string(kind_)) text.append(" ").append(code());
    if (!message().empty()) text.append(": ").append(message());
    if (fields().empty()) return text;
    text.append(" [");
    bool first = true;
    for (const FieldError& field : fields()) {
        if (!first) text.append(", ");
        first = false;
        text.append(field.field).append(": ").append(field.message);
    }
    return text.append("]");
}

}  // namespace bennu
