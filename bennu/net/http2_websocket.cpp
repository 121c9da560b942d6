// WebSockets on streams of an HTTP/2 connection (RFC 8441).
#include "bennu/base/events.hpp"
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_connection.hpp"
#include "bennu/net/http_date.hpp"
#include "bennu/net/websocket_connection.hpp"

namespace bennu::net {

namespace {

constinit EventName connection_refused{"net.connection.refused"};

class Http2WebSocket final : public WebSocketCarrier {
  public:
    explicit Http2WebSocket(std::shared_ptr<Http2Exchange> exchange)
        : exchange_(std::move(exchange)) {}
    ~Http2WebSocket() override { end(Http2Code::internal_error); }

    std::string take() override {
        exchange_->announced = false;
        return std::exchange(exchange_->inbox, {});
    }
    bool waiting() const override { return !exchange_->inbox.empty() || ended(); }
    void consumed(std::size_t bytes) override {
        if (exchange_->connection) exchange_->connection->consumed(*exchange_, bytes);
    }
    bool ended() const override { return exchange_->body_ended || !exchange_->connection; }
    void send(std::string bytes) override {
        if (open()) exchange_->connection->write(*exchange_, std::move(bytes));
    }
    std::size_t unsent() const override {
        return exchange_->connection ? exchange_->connection->unsent(*exchange_) : 0;
    }
    void tell_when_sent() override { exchange_->tell_when_sent = true; }
    void finish() override { end(Http2Code::no_error); }
    void abort() override { end(Http2Code::cancel); }

  private:
    bool open() const {
        return exchange_->connection && exchange_->tunnel == Http2Exchange::Tunnel::open;
    }
    void end(Http2Code code) {
        if (open()) exchange_->connection->end_websocket(*exchange_, code);
    }

    std::shared_ptr<Http2Exchange> exchange_;
};

}  // namespace

void Http2Exchange::announce() {
    if (tunnel == Tunnel::open && !std::exchange(announced, true))
        cast(Ref<WebSocketConnection>(process), WebSocketConnection::Carried{});
}

void Http2Connection::open_websocket(const std::shared_ptr<Http2Exchange>& exchange,
                                     HttpResponse response) {
    if (exchange->tunnel != Http2Exchange::Tunnel::wanted) {
        // Its client did not ask for this; it may over HTTP/1.1.
        reset(*exchange, Http2Code::http_1_1_required);
        return;
    }
    // A socket weighs as much as a connection, so it counts as one.
    const std::shared_ptr<ConnectionTable>& table = entry_.table();
    exchange->tunnel = Http2Exchange::Tunnel::refused;
    AddressCounts::Entry counted;
    if (table->addresses) counted = table->addresses->enter(peer_.host);
    if (!counted.admitted) {
        emit(connection_refused, {{"limit", serving_->options.per_ip}}, {{"why", "per_ip"}});
        refuse(exchange->id, false, 429, "too_many_connections",
               "there are too many connections from this address");
        return;
    }
    if (!table->enter()) {
        if (counted.slot != 0) table->addresses->leave(counted.slot);
        refuse(exchange->id, false, 503, "busy", "there are too many connections");
        return;
    }
    exchange->answer_begun = true;
    session_.respond(exchange->id, 200, response.headers,
                     {.length = {},
                      .date = shard_local<HttpDate>().at(wall_now()),
                      .body = Http2Session::Answer::Body::tunnel});
    WebSocketConnection::Start start{
        .carrier = std::make_unique<Http2WebSocket>(exchange),
        .handler = std::move(response.websocket->handler),
        .options = response.websocket->options,
        .table = table,
        .input = {},
        .peer = peer_,
        .seat = {.address = counted.slot, .counted = true},
    };
    exchange->tunnel = Http2Exchange::Tunnel::open;
    ++websockets_;
    exchange->process = start_websocket(std::move(start)).pid();
    send_soon();
}

void Http2Connection::end_websocket(Http2Exchange& exchange, Http2Code code) {
    exchange.tunnel = Http2Exchange::Tunnel::ended;
    exchange.body_moved = now();
    --websockets_;
    if (code == Http2Code::no_error) {
        session_.end(exchange.id);
    } else {
        session_.reset(exchange.id, code);
    }
    send_soon();
}

std::size_t Http2Connection::unsent(const Http2Exchange& exchange) const {
    return session_.unsent(exchange.id);
}

}  // namespace bennu::net
