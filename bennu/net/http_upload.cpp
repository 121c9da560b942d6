#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"

namespace bennu::net {

namespace {

Error error_of(const Http1Refusal& refusal) {
    ErrorKind kind =
        refusal.status == 413 || refusal.status == 431 ? ErrorKind::too_large : ErrorKind::invalid;
    return Error(kind, std::string(refusal.code), std::string(refusal.message));
}

}  // namespace

Task<HttpConnection::Piece> HttpConnection::Upload::next() {
    if (!begun_.empty()) co_return std::optional(std::exchange(begun_, {}));
    if (done_) co_return std::optional<std::string>();
    if (error_) co_return *error_;
    if (!connection_) {
        co_return Error(ErrorKind::closed, "request_over", "the request was answered already");
    }
    co_return co_await connection_->read_piece(*this);
}

const Headers& HttpConnection::Upload::trailers() const {
    static const Headers none;
    return trailers_ ? *trailers_ : none;
}

Task<HttpConnection::Piece> HttpConnection::read_piece(Upload& upload) {
    if (std::exchange(upload.expects_continue_, false)) {
        stream_.write(continue_response);
        if (!stream_.flush()) lost_ = true;
    }
    std::string piece;
    std::size_t consumed = 0;
    take_body(upload, in_, consumed, piece);
    in_.erase(0, consumed);
    while (piece.empty() && !upload.done_ && !upload.error_) {
        TcpStream::Read got;
        if (stream_.readable()) got = stream_.read();
        if (got.kind == TcpStream::Read::Kind::closed || lost_) {
            peer_closed_ = true;
            upload.error_.emplace(ErrorKind::closed, "closed", "the client went away");
        } else if (got.kind == TcpStream::Read::Kind::data) {
            std::string_view input(got.bytes.data(), got.bytes.size());
            consumed = 0;
            take_body(upload, input, consumed, piece);
            in_.append(input.substr(consumed));
        } else {
            Instant from = now();
            Duration patience = upload.pace_.patience(
                {options().body_timeout, options().body_rate_grace, options().min_body_rate});
            if (!co_await waiting().readers.wait(patience)) {
                upload.error_.emplace(ErrorKind::timeout, "request_timeout",
                                      "the body took too long to arrive");
            }
            upload.pace_.waited(now() - from);
        }
    }
    upload.in_turn_ += piece.size();
    if (upload.in_turn_ >= TcpStream::read_per_turn) {
        upload.in_turn_ = 0;
        co_await yield_now();
    }
    if (!piece.empty()) co_return std::optional(std::move(piece));
    if (upload.error_) co_return *upload.error_;
    co_return std::optional<std::string>();
}

void HttpConnection::take_body(Upload& upload, std::string_view input, std::size_t& consumed,
                               std::string& piece) {
    RequestHead none;  // no head begins within a body
    while (!upload.done_ && !upload.error_) {
        Http1Event event = parser_.next(input.substr(consumed), none);
        consumed += event.consumed;
        switch (event.kind) {
            case Http1Event::Kind::body:
                piece.append(event.body);
                upload.pace_.moved(event.body.size());
                if (upload.left_) *upload.left_ -= event.body.size();
                break;
            case Http1Event::Kind::done:
                upload.trailers_ = parser_.take_trailers();
                upload.done_ = true;
                break;
            case Http1Event::Kind::error:
                upload.error_ = error_of(*event.refusal);
                break;
            case Http1Event::Kind::head:
            case Http1Event::Kind::need_more:
                return;
        }
    }
}

Task<bool> HttpConnection::skip_rest(Upload& upload) {
    std::uint64_t skipped = 0;
    while (!upload.done_) {
        Piece piece = co_await read_piece(upload);
        if (!piece) co_return false;
        if (*piece) skipped += (*piece)->size();
        if (skipped > options().skip_body) co_return false;
    }
    co_return true;
}

}  // namespace bennu::net
