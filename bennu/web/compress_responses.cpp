#include "bennu/web/compress_responses.hpp"

#include <array>

#include "bennu/base/ascii.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/web/compress.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/negotiation.hpp"

namespace bennu {

namespace {

struct Uncompressed {};

struct Coding {
    std::string_view name;
    std::string (*compress)(std::string_view, Effort);
};
/// Of those that a client likes equally, the quickest first.
constexpr std::array<Coding, 3> codings = {{
    {"zstd", zstd_compress},
    {"br", brotli_compress},
    {"gzip", gzip_compress},
}};

bool is_text(std::string_view type) {
    std::string lower = to_lower(trim(type.substr(0, type.find(';'))));
    if (lower == "text/event-stream") return false;
    return lower.starts_with("text/") || lower.ends_with("+json") || lower.ends_with("+xml") ||
           lower == "application/json" || lower == "application/javascript" ||
           lower == "application/xml" || lower == "application/graphql-response" ||
           lower == "application/x-ndjson" || lower == "application/wasm";
}

const Coding* choose_coding(std::string_view accepted) {
    const Coding* best = nullptr;
    int most = 0;
    for (const Coding& coding : codings) {
        int quality = encoding_quality(accepted, coding.name);
        if (quality <= most) continue;
        best = &coding;
        most = quality;
    }
    return best && most >= encoding_quality(accepted, "identity") ? best : nullptr;
}

/// A request named a tag with the mark of this coding.
struct AskedWith {
    std::string_view coding;
};

void mark_etag(net::Headers& headers, std::string_view coding) {
    std::string etag(headers.get("etag"));
    if (etag.size() < 2 || etag.starts_with("W/") || !etag.ends_with('"')) return;
    etag.insert(etag.size() - 1, "+" + std::string(coding));
    headers.set("etag", etag);
}

}  // namespace

void leave_uncompressed(const Conn& conn) {
    conn.assign(Uncompressed{});
}

void CompressResponses::before(const Conn& conn) const {
    net::Headers& headers = conn.state().request.head.headers;
    for (std::string_view name : {"if-match", "if-none-match"}) {
        std::string tags(headers.get(name));
        bool changed = false;
        for (const Coding& coding : codings) {
            const std::string mark = "+" + std::string(coding.name) + "\"";
            for (std::size_t at; (at = tags.find(mark)) != std::string::npos; changed = true) {
                tags.erase(at, mark.size() - 1);
                conn.assign(AskedWith{coding.name});
            }
        }
        if (changed) headers.set(name, tags);
    }
}

Task<> CompressResponses::after(Conn conn, Response& response) const {
    net::Headers& headers = response.headers;
    if (const AskedWith* asked = conn.find<AskedWith>(); asked && response.status == 304)
        mark_etag(headers, asked->coding);
    const std::size_t size = response.body_view().size();
    if (size < options_.at_least || !is_text(response.content_type()) ||
        headers.contains("content-encoding") || headers.contains("content-range") ||
        headers.has_token("cache-control", "no-transform") || response.status == 206 ||
        conn.find<Uncompressed>()) {
        co_return;
    }
    if (!headers.has_token("vary", "accept-encoding")) headers.add("vary", "Accept-Encoding");
    const Coding* coding = choose_coding(conn.header("accept-encoding"));
    if (!coding) co_return;
    Result<std::string> small = std::string();
    if (size < options_.offload_from) {
        small = coding->compress(response.body_view(), Effort::quick);
    } else {
        // The body itself stays here: the job must not outlive what it reads, and it may when this
        // request is cancelled.
        small = co_await offload(
            [text = std::string(response.body_view()), coding]() -> Result<std::string> {
                return coding->compress(text, Effort::quick);
            });
    }
    // A full queue of offloaded work: then the client gets the text as it is.
    if (!small || small->size() >= size) co_return;
    response.body = *std::move(small);
    headers.set("content-encoding", coding->name);
    mark_etag(headers, coding->name);
}

}  // namespace bennu
