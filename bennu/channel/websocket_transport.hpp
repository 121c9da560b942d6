#pragma once

#include <memory>

#include "bennu/channel/session.hpp"
#include "bennu/net/websocket.hpp"

namespace bennu::phoenix {

/// A session that a WebSocket carries.
class WebSocketSession final : public net::WebSocketHandler {
  public:
    WebSocketSession(std::shared_ptr<const SocketOptions> options, Shared<SocketInfo> info,
                     Version version);

    void on_open(net::WebSocketConnection& socket) override;
    void on_text(net::WebSocketConnection& socket, std::string_view text) override;
    void on_binary(net::WebSocketConnection& socket, std::string_view data) override;
    void on_down(net::WebSocketConnection& socket, Down down) override;
    void on_drained(net::WebSocketConnection& socket) override;
    void on_close(net::WebSocketConnection& socket, std::uint16_t code,
                  std::string_view reason) override;

    SocketSession& session() { return session_; }

  private:
    SocketSession session_;
};

}  // namespace bennu::phoenix
