#include "bennu/net/client/cassette.hpp"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "bennu/base/bytes.hpp"
#include "bennu/base/record.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/net/client/request_log.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

constexpr std::size_t longest_file = 64 << 20;
constexpr std::size_t longest_body = 16 << 20;

struct RecordedHeader {
    std::string name, value;
};
BENNU_RECORD(RecordedHeader, name, value)

/// One exchange, as it stands in the file. A body that is no text is base64.
struct Exchange {
    std::string method, url;
    std::string body;
    int status = 0;
    std::vector<RecordedHeader> headers;
    std::string answer;
    bool binary = false;
};
BENNU_RECORD(Exchange, method, url, body, status, headers, answer, binary)

struct Tape {
    int version = 1;
    std::vector<Exchange> exchanges;
};
BENNU_RECORD(Tape, version, exchanges)

Result<Tape> read_tape(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error(ErrorKind::not_found, "no_cassette", "there is no file " + file);
    std::ostringstream text;
    text << in.rdbuf();
    Result<Json> json = parse_json(text.view(), {.max_bytes = longest_file});
    if (!json) return std::move(json).error().with_context("reading " + file);
    Result<Tape> tape = from_json<Tape>(*json);
    if (!tape) return std::move(tape).error().with_context("reading " + file);
    return tape;
}

/// Writes the file anew for each exchange. Jobs of several threads come here, in any order: the
/// latest text stays.
class TapeWriter {
  public:
    explicit TapeWriter(std::string file) : file_(std::move(file)) {}

    Result<> write(std::uint64_t number, const std::string& text) {
        std::lock_guard lock(mutex_);
        if (number < written_) return {};
        // Beside it, then renamed: a run that is interrupted leaves the file as it was.
        const std::string beside = file_ + ".new";
        {
            std::ofstream out(beside, std::ios::binary | std::ios::trunc);
            out << text << '\n';
            if (!out.flush()) return Error(ErrorKind::io, "cassette", "cannot write " + beside);
        }
        std::error_code failed;
        std::filesystem::rename(beside, file_, failed);
        if (failed) return Error(ErrorKind::io, "cassette", "cannot write " + file_);
        written_ = number;
        return {};
    }

  private:
    std::mutex mutex_;
    std::string file_;
    std::uint64_t written_ = 0;
};

Exchange recorded(Exchange exchange, const ClientResponse& answer) {
    exchange.status = answer.status;
    for (auto [name, value] : answer.headers) {
        exchange.headers.push_back(
            {std::string(name), std::string(secret_header(name) ? Secret::mask : value)});
    }
    exchange.binary = !valid_utf8(answer.body);
    exchange.answer = exchange.binary ? base64_encode(answer.body) : answer.body;
    return exchange;
}

Result<ClientResponse> played(const Exchange& exchange, std::string url) {
    ClientResponse answer{
        .status = exchange.status, .body = exchange.answer, .url = std::move(url)};
    for (const RecordedHeader& header : exchange.headers) {
        if (!Headers::valid_name(header.name) || !Headers::valid_value(header.value))
            return Error(ErrorKind::invalid, "bad_cassette", "a header cannot be sent");
        answer.headers.add(header.name, header.value);
    }
    if (exchange.binary) {
        Result<std::string> body = base64_decode(exchange.answer);
        if (!body) return std::move(body).error();
        answer.body = *std::move(body);
    }
    return answer;
}

class Cassette : public Transport, public std::enable_shared_from_this<Cassette> {
  public:
    using Mode = CassetteOptions::Mode;
    Cassette(CassetteOptions options, std::shared_ptr<Transport> real)
        : options_(std::move(options)),
          real_(std::move(real)),
          writer_(std::make_shared<TapeWriter>(options_.file)) {}

    Task<Result<ClientResponse>> send(ClientRequest request) override {
        co_await require(load());
        if (request.upload) {
            request.body = co_await require(request.upload.gather(longest_body));
            request.upload = {};
        }
        const Exchange asked{.method = std::string(to_string(request.method)),
                             .url = masked_url(request.url, options_.secret_parameters),
                             .body = request.body};
        if (options_.mode != Mode::record) {
            if (auto found = take(asked)) {
                ClientResponse answer = co_await require(played(*found, request.url));
                if (request.delivery == Delivery::streamed)
                    answer.stream = ClientBody(text_source(std::exchange(answer.body, {})),
                                               request.body_limits());
                co_return answer;
            }
        }
        if (options_.mode == Mode::replay || !real_) {
            co_return Error(ErrorKind::not_found, "not_recorded",
                            asked.method + " " + asked.url + " is not in " + options_.file);
        }
        ClientResponse answer = co_await require(real_->send(std::move(request)));
        if (answer.stream) {
            answer.stream.wrap([this, asked, head = answer](std::unique_ptr<PieceSource> inner) {
                return record_stream(std::move(inner), asked, head);
            });
            co_return answer;
        }
        co_await require(add(recorded(asked, answer)));
        co_return answer;
    }

  private:
    struct Entry {
        Exchange exchange;
        bool used = false;
    };

    /// Writes the exchange down once the stream has been read to its end.
    std::unique_ptr<PieceSource> record_stream(std::unique_ptr<PieceSource> inner, Exchange asked,
                                               ClientResponse head) {
        head.stream = {};
        std::shared_ptr<PieceSource> from = std::move(inner);
        auto next = [self = shared_from_this(), from, asked = std::move(asked),
                     whole = std::make_shared<ClientResponse>(std::move(
                         head))] [[clang::coro_wrapper]] { return self->tee(from, asked, whole); };
        return piece_source(std::move(next));
    }
    Task<Result<std::optional<std::string>>> tee(std::shared_ptr<PieceSource> from, Exchange asked,
                                                 std::shared_ptr<ClientResponse> whole) {
        std::optional<std::string> piece = co_await require(from->next());
        if (!piece) {
            co_await require(add(recorded(asked, *whole)));
            co_return piece;
        }
        if (whole->body.size() + piece->size() > longest_body)
            co_return Error(ErrorKind::too_large, "too_long_to_record",
                            "a streamed answer does not fit into the file");
        whole->body += *piece;
        co_return piece;
    }

    /// Reads the file once.
    Task<Result<>> load() {
        {
            std::lock_guard lock(mutex_);
            if (loaded_) co_return {};
        }
        Result<Tape> tape = Tape{};
        if (options_.mode != Mode::record) {
            tape = co_await offload([file = options_.file] { return read_tape(file); });
            const bool missing = !tape && tape.error().code() == "no_cassette";
            if (missing && options_.mode == Mode::record_missing) tape = Tape{};
        }
        if (!tape) co_return std::move(tape).error();
        std::lock_guard lock(mutex_);
        if (std::exchange(loaded_, true)) co_return {};
        for (Exchange& exchange : tape->exchanges) entries_.push_back({std::move(exchange)});
        co_return {};
    }

    std::optional<Exchange> take(const Exchange& asked) {
        std::lock_guard lock(mutex_);
        for (Entry& entry : entries_) {
            const Exchange& one = entry.exchange;
            if (entry.used || one.method != asked.method || one.url != asked.url ||
                one.body != asked.body)
                continue;
            entry.used = true;
            return one;
        }
        return std::nullopt;
    }

    Task<Result<>> add(Exchange exchange) {
        std::string text;
        std::uint64_t number = 0;
        {
            std::lock_guard lock(mutex_);
            entries_.push_back({std::move(exchange), true});
            Tape tape;
            for (const Entry& entry : entries_) tape.exchanges.push_back(entry.exchange);
            text = to_json(tape);
            number = entries_.size();
        }
        co_return co_await offload([writer = writer_, number, text = std::move(text)] {
            return writer->write(number, text);
        });
    }

    CassetteOptions options_;
    std::shared_ptr<Transport> real_;
    std::shared_ptr<TapeWriter> writer_;
    std::mutex mutex_;
    bool loaded_ = false;
    std::vector<Entry> entries_;
};

}  // namespace

std::shared_ptr<Transport> cassette(CassetteOptions options, std::shared_ptr<Transport> real) {
    return std::make_shared<Cassette>(std::move(options), std::move(real));
}

}  // namespace bennu::net
