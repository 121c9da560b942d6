#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

/// How frames reach the client of a socket: one constant table for each kind (WebSocket, test). All
/// run on the socket's shard and do nothing when the socket is gone.
struct SocketTransport {
    void (*send_text)(Pid socket, std::string_view frame);
    void (*send_binary)(Pid socket, std::string_view frame);
    void (*close)(Pid socket, std::uint16_t code, std::string_view reason);
    /// Writes a broadcast straight to the client.
    pubsub::detail::Deliver deliver;
    /// A message on the socket's id topic: `disconnect` closes it.
    pubsub::detail::Deliver deliver_to_id;
    /// Tells the socket's session that a channel's client knows that it joined.
    void (*joined)(Pid socket, Pid channel);
};

/// What the socket's `connect` said; shared by its channels.
struct SocketInfo {
    Json assigns;
    std::string id;
};

/// Names one event of a client that still waits for its answer.
struct ReplyRef {
    Pid socket;
    const SocketTransport* transport = nullptr;
    Topic topic;
    Json join_ref;
    Json ref;
};

}  // namespace bennu
