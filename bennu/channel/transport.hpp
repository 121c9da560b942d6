#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/channel/serializer.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

/// How much a client may be sent at once of what can also wait for it elsewhere.
struct SocketRoom {
    std::size_t messages = SIZE_MAX;
    std::size_t bytes = SIZE_MAX;  ///< reached by the last of them, or passed
    bool any() const { return messages > 0 && bytes > 0; }
};

/// How frames reach the client of a socket: one constant table for each kind (WebSocket, long
/// polling, test) and version of the frames. All run on the socket's shard and do nothing when the
/// socket is gone.
struct SocketTransport {
    std::string_view name;  ///< for telemetry: `websocket`, `longpoll`, `test`
    phoenix::Version version;
    /// Whether `send_binary` may be called: neither V1 nor long polling take bytes to the client.
    bool binary;
    void (*send_text)(Pid socket, std::string_view frame);
    void (*send_binary)(Pid socket, std::string_view frame);
    void (*close)(Pid socket, std::uint16_t code, std::string_view reason);
    /// Writes a broadcast straight to the client, unless that one is slow.
    pubsub::detail::Deliver deliver;
    /// Writes it even then.
    pubsub::detail::Deliver write;
    /// A message on the socket's id topic: `disconnect` closes it.
    pubsub::detail::Deliver deliver_to_id;
    /// Whether pushes go to `hold`, since the client is slow.
    bool (*slow)(Pid socket);
    /// Whether the client has not taken everything that was sent.
    bool (*behind)(Pid socket);
    /// Takes a push, and its frame, as `SocketOptions::outbox` says.
    void (*hold)(Pid socket, const Broadcast& message, std::string frame);
    /// The session keeps nothing for the client any more.
    void (*caught_up)(Pid socket);
    SocketRoom (*room)(Pid socket);
    /// Runs `then` outside of any channel once the client has taken what was sent: at the next turn
    /// if it has. Never, when it goes away.
    void (*when_taken)(Pid socket, Function<void()> then);
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
