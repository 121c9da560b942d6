#include "bennu/net/testing.hpp"

namespace bennu::net {

Task<Result<>> RawClient::init() {
    Result<SocketHandle> socket = reactor().connect(address_);
    if (!socket) co_return std::move(socket).error();
    stream_.adopt(*socket);
    if (tls_ && plain_.empty()) stream_.secure_with(tls_->connect(host_));
    co_return stream_.watch();
}

void RawClient::handle(Send message) {
    if (!plain_.empty()) {
        unsent_ += message.bytes;
        return;
    }
    stream_.write(message.bytes);
    (void)stream_.flush();
}

void RawClient::handle(ReadUntil message, From<std::string> from) {
    until_ = std::move(message.text);
    to_the_end_ = false;
    waiting_ = std::move(from);
    answer();
}

void RawClient::handle(ReadAll, From<std::string> from) {
    to_the_end_ = true;
    waiting_ = std::move(from);
    answer();
}

void RawClient::answer() {
    if (!waiting_) return;
    if (closed_ || (!to_the_end_ && received_.contains(until_))) waiting_.reply(received_);
}

void RawClient::handle_io(std::uint8_t, Readiness ready) {
    stream_.note(ready);
    if (ready.writable && !plain_.empty()) {
        stream_.write(std::exchange(plain_, {}));
        (void)stream_.flush();
        if (tls_) stream_.secure_with(tls_->connect(host_));
        stream_.write(std::exchange(unsent_, {}));
    }
    if (ready.writable) (void)stream_.flush();
    while (!closed_) {
        TcpStream::Read got = stream_.read();
        if (got.kind == TcpStream::Read::Kind::would_block) break;
        if (got.kind == TcpStream::Read::Kind::closed) closed_ = true;
        received_.append(got.bytes.data(), got.bytes.size());
        if (got.drained) break;
    }
    answer();
}

RawClient::Agreed RawClient::handle(GetAgreed) {
    const TlsSession* tls = stream_.tls();
    if (!tls) return {};
    return {std::string(tls->version()), std::string(tls->protocol()), tls->failure(),
            tls->status() == TlsSession::Status::open, tls->resumed()};
}

Task<std::string> exchange(SocketAddress address, std::string bytes,
                           std::shared_ptr<TlsContext> tls, std::string host) {
    auto client =
        co_await start<RawClient>({}, std::move(address), std::move(tls), std::move(host));
    if (!client) co_return client.error().describe();
    cast(*client, RawClient::Send{std::move(bytes)});
    std::string all =
        co_await call(*client, RawClient::ReadAll{}, {.timeout = std::chrono::seconds(120)});
    kill(client->pid());
    co_return all;
}

}  // namespace bennu::net
