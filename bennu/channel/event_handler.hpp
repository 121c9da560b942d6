#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/bytes.hpp"
#include "bennu/channel/reply.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

class Channel;

namespace detail {

/// Who takes an event of a channel with typed handlers (`ChannelTypes::on`): one of the two.
struct EventHandler {
    std::string event;
    Task<Reply> (*json)(Channel& channel, Event event, Json payload) = nullptr;
    Task<Reply> (*binary)(Channel& channel, Event event, Bytes data) = nullptr;
};

/// What a channel type's `types()` binds it to.
struct ChannelContract {
    std::vector<EventHandler> handlers;
    /// Reads a client's join params as what `joins` says; unset: they may be anything.
    Result<> (*check_params)(const Json& params) = nullptr;
    /// Of what is tracked, as `tracks` says.
    Result<> (*check_meta)(const Json& meta) = nullptr;
    /// The record of the params has a field `resume` of its own.
    bool takes_resume = false;
    /// The events that `sends` names; none: nothing is known.
    std::vector<std::string> sends;
};

}  // namespace detail
}  // namespace bennu
