#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"
#include "bennu/pubsub/payload.hpp"

namespace bennu {

/// What a client is told about an Error: `{"reason": code, "message"?, "errors"?: [{"field",
/// "code", "message"}]}`.
Json error_payload(const Error& error);

/// What a client pushed: its name, and the ref that the answer must carry (null: it wants none).
struct Event {
    std::string name;
    Json ref;

    friend bool operator==(const Event& event, std::string_view name) { return event.name == name; }
};

/// The answer to one event. An Error becomes an error reply, so that `co_return input.error();`
/// reads plainly.
class [[nodiscard]] Reply {
  public:
    static Reply ok(Payload response = {}) { return Reply("ok", std::move(response)); }
    static Reply error(Payload response = {}) { return Reply("error", std::move(response)); }
    static Reply with_status(std::string status, Payload response = {}) {
        return Reply(std::move(status), std::move(response));
    }
    /// No answer, or one that comes later through `Channel::reply`.
    static Reply none() { return {}; }
    Reply(const Error& error) : Reply("error", error_payload(error)) {}

    /// Ends the channel (the client gets `phx_close`) once the answer is on its way.
    Reply then_stop() && {
        stops_ = true;
        return std::move(*this);
    }

    bool has_answer() const { return !status_.empty(); }
    bool stops() const { return stops_; }
    std::string_view status() const { return status_; }
    const Payload& response() const { return response_; }

  private:
    Reply() = default;
    Reply(std::string status, Payload response)
        : status_(std::move(status)), response_(std::move(response)) {}

    std::string status_;
    Payload response_;
    bool stops_ = false;
};

/// Whether a client may join, and what it is told.
class [[nodiscard]] Join {
  public:
    static Join ok(Payload response = {}) { return Join(true, std::move(response)); }
    /// `refuse(Json::object({{"reason", "unauthorized"}}))`
    static Join refuse(Payload response = {}) { return Join(false, std::move(response)); }
    Join(const Error& error) : Join(false, error_payload(error)) {}

    bool accepted() const { return accepted_; }
    const Payload& response() const { return response_; }

  private:
    Join(bool accepted, Payload response) : response_(std::move(response)), accepted_(accepted) {}

    Payload response_;
    bool accepted_;
};

}  // namespace bennu
