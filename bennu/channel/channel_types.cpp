#include "bennu/channel/channel_types.hpp"

#include <algorithm>
#include <stdexcept>

namespace bennu {

namespace {

bool names(const std::vector<ChannelTypes::Message>& messages, const std::string& event) {
    return std::ranges::find(messages, event, &ChannelTypes::Message::event) != messages.end();
}

}  // namespace

void ChannelTypes::add(detail::EventHandler handler, Message message) {
    if (handler.event.starts_with("phx_")) {
        throw std::invalid_argument(name_ + " has a handler for " + handler.event +
                                    ", which is the protocol's: name the event otherwise");
    }
    if (names(pushes_, message.event)) {
        throw std::invalid_argument(name_ + " has two handlers for the event " + message.event +
                                    ": take one of them out of its types()");
    }
    contract_.handlers.push_back(std::move(handler));
    pushes_.push_back(std::move(message));
}

void ChannelTypes::add_event(Message message) {
    if (names(events_, message.event)) {
        throw std::invalid_argument(name_ + " sends the event " + message.event +
                                    " as two things: take one of them out of its types()");
    }
    contract_.sends.push_back(message.event);
    events_.push_back(std::move(message));
}

void ChannelTypes::add_shape(detail::MemberOf member, JsonShape shape) {
    if (!member.field) {
        throw std::invalid_argument(name_ + " says what is in a member of " +
                                    std::string(member.record->name) +
                                    " that is none of its fields");
    }
    shapes_.push_back({member, std::move(shape)});
}

}  // namespace bennu
