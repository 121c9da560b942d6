#include "clients/device/handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace bennu::device {

namespace {

constexpr std::size_t longest_head = 16 * 1024;
constexpr std::string_view token_prefix = "base64url.bearer.phx.";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// Whether a comma-separated list has the word.
bool lists(std::string_view text, std::string_view word) {
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        if (same_word(trim(text.substr(0, comma)), word)) return true;
        text.remove_prefix(std::min(text.size(), comma + 1));
    }
    return false;
}

/// The header lines of an answer that matter here.
struct Fields {
    bool upgrade = false;
    bool connection = false;
    int accepts = 0;
    std::string_view accept;
    std::string_view protocol;
    bool extensions = false;

    bool take(std::string_view line) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return false;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trim(line.substr(colon + 1));
        if (same_word(name, "upgrade")) upgrade = same_word(value, "websocket");
        if (same_word(name, "connection")) connection = connection || lists(value, "upgrade");
        if (same_word(name, "sec-websocket-protocol")) protocol = value;
        if (same_word(name, "sec-websocket-extensions")) extensions = true;
        if (same_word(name, "sec-websocket-accept")) {
            accept = value;
            ++accepts;
        }
        return true;
    }
};

HandshakeAnswer refuse(std::string problem) {
    return {.kind = HandshakeAnswer::Kind::refused, .problem = std::move(problem)};
}

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::string accept_of(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1) return {};
    return base64({reinterpret_cast<const char*>(digest), size});
}

std::string Handshake::request() const {
    std::string out = "GET " + target + " HTTP/1.1\r\nHost: " + authority;
    out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    out += "Sec-WebSocket-Key: " + key + "\r\n";
    if (!auth_token.empty()) {
        std::string token = base64(auth_token);
        token.erase(std::min(token.find('='), token.size()));
        out += "Sec-WebSocket-Protocol: phoenix, " + std::string(token_prefix) + token + "\r\n";
    }
    return out + headers + "\r\n";
}

HandshakeAnswer read_answer(std::string_view input, const Handshake& handshake) {
    const std::size_t end = input.substr(0, longest_head).find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return input.size() < longest_head ? HandshakeAnswer() : refuse("the answer has no end");
    }
    std::string_view head = input.substr(0, end);
    const std::string_view status = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), status.size() + 2));
    if (status.substr(0, 9) != "HTTP/1.1 ") return refuse("that is no HTTP");
    if (status.substr(9, 3) != "101" || (status.size() > 12 && status[12] != ' ')) {
        return refuse("the server answered " + std::string(status.substr(9, 60)));
    }
    Fields fields;
    while (!head.empty()) {
        const std::size_t stop = std::min(head.find("\r\n"), head.size());
        if (!fields.take(head.substr(0, stop))) return refuse("a malformed header");
        head.remove_prefix(std::min(head.size(), stop + 2));
    }
    if (!fields.upgrade || !fields.connection) return refuse("no WebSocket was opened");
    if (fields.accepts != 1 || fields.accept != accept_of(handshake.key)) {
        return refuse("the server did not answer to our key");
    }
    if (fields.extensions) return refuse("an extension that was not offered");
    if (!fields.protocol.empty() &&
        (handshake.auth_token.empty() || fields.protocol != "phoenix")) {
        return refuse("a protocol that was not offered");
    }
    return {.kind = HandshakeAnswer::Kind::accepted, .consumed = end + 4, .problem = {}};
}

}  // namespace bennu::device
