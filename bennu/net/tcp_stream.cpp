#include "bennu/net/tcp_stream.hpp"

#include <array>

namespace bennu::net {

namespace {

struct Scratch {
    std::array<char, 64 * 1024> bytes;
};

}  // namespace

TcpStream::Read TcpStream::read() {
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

bool TcpStream::flush(std::string_view tail) {
    std::size_t sent = 0;
    bool blocked = false;
    auto send = [&](std::string_view bytes, std::size_t& done) {
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
    };
    if (!send(out_, sent)) return false;
    std::size_t tail_sent = 0;
    if (!blocked && !send(tail, tail_sent)) return false;
    if (sent == out_.size()) {
        std::string().swap(out_);  // an idle connection keeps no memory
    } else {
        out_.erase(0, sent);
    }
    out_.append(tail.substr(tail_sent));
    return true;
}

}  // namespace bennu::net
