#include "bennu/web/idempotency_keys.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/log.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace {

constexpr std::size_t longest_key = 255;

/// The request's hold on its key; given up when nobody answers the request any more.
class Claim {
  public:
    Claim(std::shared_ptr<const IdempotencyOptions> options, IdempotencyKey key,
          std::uint64_t number)
        : options_(std::move(options)), key_(std::move(key)), number_(number) {}
    Claim(Claim&& other) noexcept
        : options_(std::move(other.options_)),
          key_(std::move(other.key_)),
          number_(std::exchange(other.number_, 0)) {}
    Claim& operator=(Claim&& other) noexcept {
        std::swap(options_, other.options_);
        std::swap(key_, other.key_);
        std::swap(number_, other.number_);
        return *this;
    }
    ~Claim() {
        if (number_) options_->store->abandon(key_, number_);
    }
    /// Whether this plug made it: there may be another one on the same pipeline.
    bool of(const IdempotencyOptions* options) const { return options_.get() == options; }
    const IdempotencyKey& key() const { return key_; }
    std::uint64_t take() { return std::exchange(number_, 0); }

  private:
    std::shared_ptr<const IdempotencyOptions> options_;
    IdempotencyKey key_;
    std::uint64_t number_;
};

/// `"text"` as a structured field has it, or the text alone, as many clients send it.
std::optional<std::string> read_key(std::string_view header) {
    header = trim(header);
    std::string key;
    if (header.starts_with('"')) {
        if (header.size() < 2 || !header.ends_with('"')) return std::nullopt;
        header = header.substr(1, header.size() - 2);
        for (std::size_t i = 0; i < header.size(); ++i) {
            if (header[i] == '"') return std::nullopt;
            if (header[i] == '\\' &&
                (++i == header.size() || !std::string_view("\"\\").contains(header[i])))
                return std::nullopt;
            key += header[i];
        }
    } else {
        key = header;
    }
    const bool visible = std::ranges::all_of(key, [](char c) { return c >= '!' && c <= '~'; });
    if (key.empty() || key.size() > longest_key || !visible) return std::nullopt;
    return key;
}

/// Each part with its length, so that nothing can be moved from one to the next.
std::string fingerprint_of(const Conn& conn) {
    std::string all;
    for (std::string_view part : {conn.method_text(), conn.path(), conn.query_string(),
                                  conn.header("content-type"), conn.body()})
        all += std::to_string(part.size()) + ":" + std::string(part);
    return std::string(as_text(sha256(all)));
}

Response again(const StoredAnswer& answer) {
    Response response(answer.status);
    response.headers = answer.headers;
    response.headers.set("idempotency-replayed", "true");
    response.body = answer.body;
    return response;
}

bool worth_keeping(int status) {
    return status >= 200 && status < 500 && status != 408 && status != 409 && status != 425 &&
           status != 429;
}

}  // namespace

IdempotencyKeys::IdempotencyKeys(IdempotencyOptions options) {
    if (!options.scope) throw std::invalid_argument("idempotency keys need to know whose they are");
    if (!options.store) options.store = std::make_shared<MemoryIdempotency>();
    options_ = std::make_shared<const IdempotencyOptions>(std::move(options));
}

Task<detail::PlugResult> IdempotencyKeys::before(Conn conn) const {
    const IdempotencyOptions& options = *options_;
    if (std::ranges::find(options.methods, conn.method()) == options.methods.end())
        co_return std::nullopt;
    const std::optional<std::string_view> header = conn.head().headers.find("idempotency-key");
    if (!header) {
        if (options.without_key == IdempotencyOptions::WithoutKey::pass) co_return std::nullopt;
        co_return error_status(conn, 400, "idempotency_key_missing",
                               "This request needs an Idempotency-Key.");
    }
    std::optional<std::string> key = read_key(*header);
    if (!key || conn.head().headers.count("idempotency-key") > 1)
        co_return error_status(conn, 400, "idempotency_key_malformed",
                               "An Idempotency-Key is a string of 1 to 255 visible characters.");
    const Route* route = conn.route();
    if (route && (route->options.stream_body || route->options.uploads))
        throw std::logic_error("a body that is streamed has no fingerprint");
    IdempotencyKey name{options.scope(conn), *std::move(key)};
    if (name.scope.empty()) co_return std::nullopt;
    Result<IdempotencyState> state =
        co_await options.store->begin(name, fingerprint_of(conn), options.running);
    if (!state) {
        log_warning("idempotency keys cannot be looked up", {{"error", state.error()}});
        co_return error_status(conn, 503, "idempotency_unavailable",
                               "Repetitions cannot be told apart right now.");
    }
    switch (state->kind) {
        case IdempotencyState::Kind::running:
            co_return error_status(conn, 409, "request_in_progress",
                                   "A request with this Idempotency-Key is under way.")
                .with_header("retry-after", "1");
        case IdempotencyState::Kind::other:
            co_return error_status(conn, 422, "idempotency_key_reused",
                                   "This Idempotency-Key belongs to another request.");
        case IdempotencyState::Kind::answered:
            co_return again(state->answer);
        case IdempotencyState::Kind::claimed:
            break;
    }
    conn.assign(Claim(options_, std::move(name), state->claim));
    co_return std::nullopt;
}

Task<> IdempotencyKeys::after(Conn conn, Response& response) const {
    Claim* claim = conn.find<Claim>();
    if (!claim || !claim->of(options_.get())) co_return;
    const bool text = response.body.index() < 2 && !response.websocket;
    const bool kept = worth_keeping(response.status) && text &&
                      response.body_view().size() <= options_->longest_answer;
    const IdempotencyKey key = claim->key();
    const std::uint64_t number = claim->take();
    if (!number) co_return;
    if (!kept) {
        options_->store->abandon(key, number);
        co_return;
    }
    StoredAnswer answer{response.status, response.headers, std::string(response.body_view())};
    answer.headers.erase("set-cookie");
    Result<> stored =
        co_await options_->store->finish(key, number, std::move(answer), options_->ttl);
    // The request was executed: its client gets the answer all the same.
    if (!stored) log_warning("an answer cannot be kept", {{"error", stored.error()}});
}

}  // namespace bennu
