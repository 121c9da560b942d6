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

/// Output buffers that wait for the next who writes. What is written in one turn leaves at its end,
/// so that few buffers serve many connections, and malloc is not asked for each answer.
struct SpareBuffers {
    static constexpr std::size_t most = 1024;
    static constexpr std::size_t shortest = 64;
    static constexpr std::size_t longest = 4 * 1024;
    static constexpr std::size_t most_bytes = 256 * 1024;

    SpareBuffers() { buffers.reserve(most); }
    bool takes(std::size_t size) const {
        return size >= shortest && size <= longest && bytes + size <= most_bytes &&
               buffers.size() < most;
    }

    std::vector<std::string> buffers;
    std::size_t bytes = 0;
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
                    got.bytes < scratch.bytes.size() && !hung_up_};
        case IoResult::Kind::would_block:
            return {Read::Kind::would_block, {}, true};
        case IoResult::Kind::closed:
        case IoResult::Kind::failed:
            break;
    }
    return {Read::Kind::closed, {}, true};
}

bool TcpStream::send(std::string_view bytes, std::size_t& done, bool& blocked, More more) {
    while (done < bytes.size()) {
        IoResult put = reactor().write(socket_, bytes.substr(done), more);
        if (put.kind == IoResult::Kind::would_block) {
            blocked = true;
            return true;
        }
        if (put.kind != IoResult::Kind::done) return false;
        done += put.bytes;
    }
    return true;
}

bool TcpStream::flush_plain(More more, bool& blocked) {
    std::size_t sent = 0;
    if (!send(out_, sent, blocked, more)) return false;
    drop_queued(sent);
    return true;
}

void TcpStream::lend_buffer() {
    auto& spare = shard_local<SpareBuffers>();
    if (spare.buffers.empty()) return;
    out_ = std::move(spare.buffers.back());
    spare.buffers.pop_back();
    spare.bytes -= out_.capacity();
}

void TcpStream::drop_queued(std::size_t sent) {
    if (sent < out_.size()) {
        out_.erase(0, sent);
        return;
    }
    // An idle connection keeps no memory.
    const std::size_t size = out_.capacity();
    auto& spare = shard_local<SpareBuffers>();
    if (!spare.takes(size)) {
        std::string().swap(out_);
        return;
    }
    out_.clear();
    spare.buffers.push_back(std::move(out_));
    spare.bytes += size;
}

bool TcpStream::flush(More more) {
    bool blocked = false;
    return tls_ ? flush_secure(blocked) : flush_plain(more, blocked);
}

bool TcpStream::send_through(std::string_view text, std::size_t& taken) {
    taken = 0;
    bool blocked = false;
    if (tls_) return flush_secure(blocked) && (blocked || encrypt(text, taken, blocked));
    return flush_plain(More::follows, blocked) && (blocked || send(text, taken, blocked));
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
                drained = got.bytes < scratch.bytes.size() && !hung_up_;
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
        if (shaking && !handshaking() && !out_.empty() && !flush())
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

bool TcpStream::flush_secure(bool& blocked) {
    std::size_t encrypted = 0;
    if (!send_ciphertext(blocked) || !encrypt(out_, encrypted, blocked)) return false;
    drop_queued(encrypted);
    return true;
}

bool TcpStream::encrypt(std::string_view text, std::size_t& done, bool& blocked) {
    while (done < text.size() && !blocked) {
        std::string_view piece = text.substr(done, encrypted_piece);
        if (!tls_->write(piece)) {
            blocked = true;
            return tls_->status() == TlsSession::Status::handshaking;
        }
        done += piece.size();
        if (!send_ciphertext(blocked)) return false;
    }
    return true;
}

void TcpStream::shutdown_write() {
    // The kernel announces every shutdown as news, also to who does it: one in answer to that would
    // go on for ever.
    if (socket_ < 0 || write_shut_) return;
    write_shut_ = true;
    if (tls_) {
        tls_->close();
        bool blocked = false;
        (void)send_ciphertext(blocked);
    }
    reactor().shutdown_write(socket_);
}

}  // namespace bennu::net
