#include "bennu/base/log.hpp"
#include "bennu/net/http_guard.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

/// How much of a streamed body may wait for the client.
constexpr std::size_t outbox_limit = 64 * 1024;
/// What one system call sends of a file before other work gets its turn.
constexpr std::size_t kernel_piece = 512 * 1024;
/// What is read of a file at once where the kernel cannot send it.
constexpr std::size_t read_piece_size = 128 * 1024;

}  // namespace

Task<bool> HttpConnection::write_long(HttpResponse& response, Answering answering) {
    auto* producer = std::get_if<BodyProducer>(&response.body);
    std::string announced;
    if (producer) {
        announced = response.headers.get("trailer");
        if (!announced.empty() && !answering.trailers) response.headers.erase("trailer");
    }
    append_head(response, answering);
    bool bodiless = answering.head_request || response.status == 204 || response.status == 304;
    if (bodiless) co_return true;
    if (auto* file = std::get_if<FileBody>(&response.body)) {
        co_return co_await send_file(std::move(*file));
    }
    if (producer) {
        co_return co_await produce(std::move(*producer), std::move(announced), answering);
    }
    co_return co_await send_text(response.body_view());
}

Task<bool> HttpConnection::send_text(std::string_view text) {
    while (true) {
        std::size_t taken = 0;
        if (!stream_.send_through(text, taken)) lost_ = true;
        text.remove_prefix(taken);
        if (lost_ || text.empty()) co_return !lost_;
        if (!co_await wait_writable()) co_return false;
    }
}

Task<bool> HttpConnection::send_file(FileBody body) {
    if (stream_.secure() && body.text) co_return co_await send_text(body.view());
    while (body.length > 0) {
        if (!stream_.flush(More::follows)) lost_ = true;
        if (!co_await drained()) co_return false;
        if (stream_.secure()) {
            auto size =
                static_cast<std::size_t>(std::min<std::uint64_t>(body.length, read_piece_size));
            auto piece = co_await offload(
                [file = body.file, at = body.offset, size] { return file->read(at, size); });
            if (!piece || piece->size() < size) break;
            body.offset += size;
            body.length -= size;
            if (!co_await send_text(*piece)) co_return false;
            continue;
        }
        auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body.length, kernel_piece));
        IoResult put =
            reactor().send_file(stream_.socket(), body.file->descriptor(), body.offset, size);
        if (put.kind == IoResult::Kind::would_block) {
            if (!co_await wait_writable()) co_return false;
        } else if (put.kind != IoResult::Kind::done) {
            lost_ = true;
        } else if (put.bytes == 0) {
            break;
        } else {
            body.offset += put.bytes;
            body.length -= put.bytes;
            if (put.bytes == size && body.length > 0) co_await yield_now();
        }
    }
    if (body.length > 0) {
        log_error("a file ended before its announced length", {{"missing", body.length}});
    }
    co_return body.length == 0 && !lost_;
}

Task<bool> HttpConnection::produce(BodyProducer producer, std::string announced,
                                   Answering answering) {
    bool chunked = answering.minor_version > 0;
    auto sink = std::make_shared<Download>(*this, chunked, announced);
    flush_soon();
    const bool whole = co_await guarded_produce(&producer, BodyWriter(sink));
    sink->end();
    if (!whole) co_return false;
    const Headers* trailers = answering.trailers ? sink->trailers() : nullptr;
    if (chunked && trailers) {
        append_last_chunk(stream_.out(), *trailers);
    } else if (chunked) {
        stream_.write(last_chunk);
    }
    co_return !lost_;
}

void HttpConnection::flush_soon() {
    if (std::exchange(waiting().flush_due, true)) return;
    at_turn_end([ref = Ref<HttpConnection>(self())] {
        HttpConnection* connection = local_body(ref);
        if (!connection || connection->ended_ || !connection->waiting_) return;
        connection->waiting_->flush_due = false;
        if (!connection->stream_.flush()) {
            connection->lost_ = true;
            connection->waiting_->enders.notify();
        }
    });
}

Task<Result<>> HttpConnection::Download::write(std::string text) {
    if (!connection_ || connection_->lost_) {
        co_return Error(ErrorKind::closed, "closed", "the client went away");
    }
    TcpStream& stream = connection_->stream_;
    if (chunked_) {
        append_chunk(stream.out(), text);
    } else {
        stream.write(text);
    }
    if (stream.pending() < outbox_limit) {
        connection_->flush_soon();
        co_return Result<>();
    }
    if (!co_await connection_->drained()) {
        co_return Error(ErrorKind::closed, "closed", "the client went away or does not read");
    }
    co_await yield_now();
    co_return Result<>();
}

Task<bool> HttpConnection::Download::closing(Duration limit) {
    auto over = [this] {
        return !connection_ || connection_->lost_ || connection_->entry_.draining() ||
               connection_->stream_.hung_up();
    };
    if (!over()) co_await connection_->waiting().enders.wait(limit);
    co_return over();
}

}  // namespace bennu::net
