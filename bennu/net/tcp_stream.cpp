#include "bennu/net/tcp_stream.hpp"

#include <array>

namespace bennu::net {

namespace {

struct Scratch {
    std::array<char, 64 * 1024> bytes;
};
struct PlaintextScratch {
    std::array<char, 64 * 1024> bytes;
};

/// Encrypted at once, so that a slow client does not hold much more than its plaintext.
constexpr std::size_t encrypted_piece = 64 * 1024;

}  // namespace

TcpStream::Read TcpStream::read_plain() {
    auto& scratch = shard_local<Scratch>();
    IoResult got = reactor().read(socket_, scratch.bytes);
    switch (got.kind) {
        case IoResult::Kind::done:
            return {Read::Kind::data, std::span(scratch.bytes).first(got.bytes),
                    got.bytes < scratch.bytes.size()};
        case IoResult::Kind::would_block:
            return {Read::Kind::would_block, {}, true};
        case IoResult::Kind::closed:
        case IoResult::Kind::failed:
            break;
    }
    return {Read::Kind::closed, {}, true};
}

bool TcpStream::send(std::string_view bytes, std::size_t& done, bool& blocked) {
    while (done < bytes.size()) {
        IoResult put = reactor().write(socket_, bytes.substr(done));
        if (put.kind == IoResult::Kind::would_block) {
            blocked = true;
            return true;
        }
        if (put.kind != IoResult::Kind::done) return false;
        done += put.bytes;
    }
    return true;
}

bool TcpStream::flush(std::string_view tail) {
    if (tls_) return flush_secure(tail);
    std::size_t sent = 0, tail_sent = 0;
    bool blocked = false;
    if (!send(out_, sent, blocked)) return false;
    if (!blocked && !send(tail, tail_sent, blocked)) return false;
    if (sent == out_.size()) {
        std::string().swap(out_);  // an idle connection keeps no memory
    } else {
        out_.erase(0, sent);
    }
    out_.append(tail.substr(tail_sent));
    return true;
}

void TcpStream::secure_with(std::unique_ptr<TlsSession> session, std::string_view received) {
    tls_ = std::move(session);
    tls_->receive({received.data(), received.size()});
    // Without a buffer nothing is decrypted yet: this takes what was received, and begins.
    (void)tls_->read({});
}

TcpStream::Read TcpStream::read_secure() {
    auto& scratch = shard_local<Scratch>();
    auto& plaintext = shard_local<PlaintextScratch>();
    bool drained = false;
    while (true) {
        if (!std::exchange(more_plaintext_, false)) {
            IoResult got = reactor().read(socket_, scratch.bytes);
            if (got.kind == IoResult::Kind::done) {
                tls_->receive(std::span(scratch.bytes).first(got.bytes));
                drained = got.bytes < scratch.bytes.size();
            } else if (got.kind == IoResult::Kind::would_block) {
                drained = true;
            } else {
                return {Read::Kind::closed, {}, true};
            }
        }
        bool shaking = handshaking();
        std::size_t count = tls_->read(plaintext.bytes);
        bool blocked = false;
        if (!send_ciphertext(blocked)) return {Read::Kind::closed, {}, true};
        // What was written during the handshake has waited for its end.
        if (shaking && !handshaking() && !out_.empty() && !flush_secure({}))
            return {Read::Kind::closed, {}, true};
        if (count > 0) {
            more_plaintext_ = count == plaintext.bytes.size();
            return {Read::Kind::data, std::span(plaintext.bytes).first(count),
                    drained && !more_plaintext_};
        }
        if (tls_->status() == TlsSession::Status::closed ||
            tls_->status() == TlsSession::Status::failed) {
            return {Read::Kind::closed, {}, true};
        }
        if (drained) return {Read::Kind::would_block, {}, true};
    }
}

bool TcpStream::send_ciphertext(bool& blocked) {
    std::size_t sent = 0;
    std::string_view bytes = tls_->pending();
    if (bytes.empty()) return true;
    bool alive = send(bytes, sent, blocked);
    tls_->sent(sent);
    return alive;
}

bool TcpStream::flush_secure(std::string_view tail) {
    bool blocked = false;
    if (!send_ciphertext(blocked)) return false;
    std::size_t encrypted = 0;
    auto encrypt_and_send = [&](std::string_view text, std::size_t& done) {
        while (done < text.size() && !blocked) {
            std::string_view piece = text.substr(done, encrypted_piece);
            if (!tls_->write(piece)) return tls_->status() == TlsSession::Status::handshaking;
            done += piece.size();
            if (!send_ciphertext(blocked)) return false;
        }
        return true;
    };
    if (!encrypt_and_send(out_, encrypted)) return false;
    std::size_t tail_done = 0;
    if (encrypted == out_.size()) {
        std::string().swap(out_);
        if (!encrypt_and_send(tail, tail_done)) return false;
    } else {
        out_.erase(0, encrypted);
    }
    out_.append(tail.substr(tail_done));
    return true;
}

void TcpStream::shutdown_write() {
    if (socket_ < 0) return;
    if (tls_) {
        tls_->close();
        bool blocked = false;
        (void)send_ciphertext(blocked);
    }
    reactor().shutdown_write(socket_);
}

}  // namespace bennu::net
