#include "bennu/channel/poll_token.hpp"

#include <cstring>

#include "bennu/base/random.hpp"

namespace bennu::phoenix {

namespace {
constexpr Duration longest_session = std::chrono::days(14);
}

PollNode draw_poll_node() {
    PollNode node;
    secure_random(std::as_writable_bytes(std::span(node)));
    return node;
}

std::string seal_poll_token(const KeyRing& keys, const PollToken& token, Timestamp now) {
    std::string plain(token.node.data(), token.node.size());
    const std::uint64_t bits = token.session.bits();
    for (int shift = 0; shift < 64; shift += 8) plain += static_cast<char>(bits >> shift);
    return keys.seal(plain, now);
}

Result<PollToken> open_poll_token(const KeyRing& keys, std::string_view text, Timestamp now) {
    Result<std::string> plain = keys.open(text, now, longest_session);
    if (!plain) return std::move(plain).error();
    PollToken token;
    if (plain->size() != token.node.size() + 8) return Error(ErrorKind::unauthorized, "bad_token");
    std::memcpy(token.node.data(), plain->data(), token.node.size());
    std::uint64_t bits = 0;
    for (int i = 7; i >= 0; --i) {
        bits = bits << 8 | static_cast<unsigned char>((*plain)[token.node.size() + i]);
    }
    token.session = Pid::from_bits(bits);
    return token;
}

}  // namespace bennu::phoenix
