#pragma once

#include <cstddef>
#include <string>

namespace bennu::net {

/// What carries the frames of a WebSocket that owns no TCP stream: a stream of an HTTP/2
/// connection. Belongs to the socket's process; whoever puts something in sends that process a
/// `WebSocketConnection::Carried`. Destroying it while it is open resets what it carries.
class WebSocketCarrier {
  public:
    virtual ~WebSocketCarrier() = default;

    /// Everything that has come and was not taken.
    virtual std::string take() = 0;
    /// Something has come, or the end, and its `Carried` may have been refused by a full mailbox.
    virtual bool waiting() const = 0;
    /// So many of the bytes were read: the client may send as many more.
    virtual void consumed(std::size_t bytes) = 0;
    /// Nothing more will come.
    virtual bool ended() const = 0;
    /// Nothing happens on one that is lost or over.
    virtual void send(std::string bytes) = 0;
    /// Bytes sent that the client has not let through.
    virtual std::size_t unsent() const = 0;
    /// A `Carried` comes once nothing is unsent.
    virtual void tell_when_sent() = 0;
    /// Ends it in order, behind what was sent.
    virtual void finish() = 0;
    /// Ends it at once; what was sent and not let through is dropped.
    virtual void abort() = 0;
};

}  // namespace bennu::net
