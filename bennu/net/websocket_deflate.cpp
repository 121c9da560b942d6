#include "bennu/net/websocket_deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_syntax.hpp"
#include "bennu/net/websocket_frame.hpp"

namespace bennu::net {

namespace {

/// What ends a flushed deflate block; RFC 7692 leaves it out of each message.
constexpr std::string_view block_end("\x00\x00\xff\xff", 4);
/// Grows to this without a look at the ratio.
constexpr std::size_t free_growth = 16 * 1024;

struct Parameters {
    bool server_no_takeover = false;
    bool client_no_takeover = false;
    bool client_bits = false;
    std::uint8_t server_bits = 0;  ///< 0: not said
};

std::optional<std::uint8_t> window_bits(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    if (text.size() == 1 && (text == "8" || text == "9"))
        return static_cast<std::uint8_t>(text[0] - '0');
    if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
        return static_cast<std::uint8_t>(10 + text[1] - '0');
    return std::nullopt;
}

/// One parameter of an offer; false: the offer is void.
bool read_parameter(std::string_view text, Parameters& into) {
    std::size_t equals = text.find('=');
    std::string_view name = trim_ows(text.substr(0, equals));
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = trim_ows(text.substr(equals + 1));
    auto flag = [&](bool& set) { return !value && !std::exchange(set, true); };
    if (iequals(name, "server_no_context_takeover")) return flag(into.server_no_takeover);
    if (iequals(name, "client_no_context_takeover")) return flag(into.client_no_takeover);
    if (iequals(name, "client_max_window_bits")) {
        return !std::exchange(into.client_bits, true) && (!value || window_bits(*value));
    }
    if (!iequals(name, "server_max_window_bits") || !value || into.server_bits != 0) return false;
    auto bits = window_bits(*value);
    // zlib cannot write with a window of 256 bytes.
    if (!bits || *bits == 8) return false;
    into.server_bits = *bits;
    return true;
}

std::optional<Parameters> read_offer(std::string_view offer) {
    std::size_t end = std::min(offer.find(';'), offer.size());
    if (!iequals(trim_ows(offer.substr(0, end)), "permessage-deflate")) return std::nullopt;
    Parameters parameters;
    while (end < offer.size()) {
        offer.remove_prefix(end + 1);
        end = std::min(offer.find(';'), offer.size());
        if (!read_parameter(offer.substr(0, end), parameters)) return std::nullopt;
    }
    return parameters;
}

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers,
                                                  const WebSocketDeflate& options) {
    if (!options.enabled) return std::nullopt;
    std::optional<DeflateAgreement> agreed;
    for_each_element(offers, [&](std::string_view offer) {
        if (agreed) return;
        auto asked = read_offer(offer);
        if (!asked) return;
        agreed.emplace();
        agreed->answer = "permessage-deflate";
        agreed->server_takeover = options.context_takeover && !asked->server_no_takeover;
        agreed->client_takeover = options.context_takeover && !asked->client_no_takeover;
        if (!agreed->server_takeover) agreed->answer += "; server_no_context_takeover";
        if (!agreed->client_takeover) agreed->answer += "; client_no_context_takeover";
        if (asked->server_bits != 0) {
            agreed->server_bits = asked->server_bits;
            agreed->answer += "; server_max_window_bits=" + std::to_string(asked->server_bits);
        }
    });
    return agreed;
}

struct MessageDeflate::Streams {
    Streams(int level, int bits) {
        // Negative window bits: bare deflate, without zlib's header.
        if (deflateInit2(&out, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
            inflateInit2(&in, -15) != Z_OK) {
            throw std::bad_alloc();
        }
    }
    ~Streams() {
        deflateEnd(&out);
        inflateEnd(&in);
    }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    z_stream out{};
    z_stream in{};

    /// For sockets that keep no context.
    static Streams& shared() {
        thread_local Streams streams(1, 15);
        return streams;
    }
};

MessageDeflate::MessageDeflate(const DeflateAgreement& agreement, const WebSocketDeflate& options,
                               std::size_t limit)
    : agreement_(agreement), options_(options), limit_(limit) {
    bool plain = !agreement.server_takeover && !agreement.client_takeover &&
                 agreement.server_bits == 15 && options.level == 1;
    if (!plain) own_ = std::make_unique<Streams>(options.level, agreement.server_bits);
}

MessageDeflate::~MessageDeflate() = default;

std::string MessageDeflate::compress(std::string_view message) {
    // A block without anything (RFC 7692 7.2.3.6); zlib refuses to flush twice with nothing in
    // between.
    if (message.empty()) return std::string(1, '\0');
    z_stream& stream = own_ ? own_->out : Streams::shared().out;
    if (!agreement_.server_takeover) deflateReset(&stream);
    std::string payload(deflateBound(&stream, message.size()) + 16, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream.avail_in = static_cast<uInt>(message.size());
    stream.next_out = reinterpret_cast<Bytef*>(payload.data());
    stream.avail_out = static_cast<uInt>(payload.size());
    if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in > 0 || stream.avail_out == 0) {
        throw std::runtime_error("zlib refused to compress");
    }
    payload.resize(payload.size() - stream.avail_out - block_end.size());
    return payload;
}

Result<std::string> MessageDeflate::decompress(std::string_view payload) {
    z_stream& stream = own_ ? own_->in : Streams::shared().in;
    if (!agreement_.client_takeover) inflateReset(&stream);
    std::size_t most = std::min(limit_, std::max(free_growth, payload.size() * options_.max_ratio));
    std::string message;
    // What the sender has left out is put back behind its payload.
    for (std::string_view input : {payload, block_end}) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream.avail_in = static_cast<uInt>(input.size());
        while (true) {
            std::size_t filled = message.size();
            // One byte more than is allowed, to see that there is more.
            std::size_t room = std::min(std::max<std::size_t>(filled, 1024), most + 1 - filled);
            message.resize(filled + room);
            stream.next_out = reinterpret_cast<Bytef*>(message.data() + filled);
            stream.avail_out = static_cast<uInt>(room);
            int outcome = inflate(&stream, Z_SYNC_FLUSH);
            message.resize(filled + room - stream.avail_out);
            if (message.size() > most) {
                return Error(ErrorKind::too_large, "inflated_too_large",
                             std::string(message_grows_too_much));
            }
            if (outcome == Z_STREAM_END) {
                // The sender closed the stream (BFINAL): its next block begins a new one.
                inflateReset(&stream);
                if (stream.avail_in > 0 && input.data() != block_end.data()) continue;
                return message;
            }
            if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
                return Error(ErrorKind::invalid, "bad_deflate", "no deflate stream");
            }
            if (stream.avail_out > 0) break;
        }
    }
    return message;
}

}  // namespace bennu::net
