#include "bennu/net/body_stream.hpp"

#include <stdexcept>

#include "bennu/net/http_trailers.hpp"

namespace bennu::net {

BodySink::BodySink(std::string_view announced) {
    if (announced.empty()) return;
    trailers_ = std::make_unique<Trailers>();
    trailers_->announced.add("trailer", announced);
}

void BodySink::trailer(std::string_view name, std::string_view value) {
    if (!may_trail_answer(name)) {
        throw std::invalid_argument("the field " + std::string(name) +
                                    " means nothing behind a body: it belongs into the head");
    }
    if (!trailers_ || !trailers_->announced.has_token("trailer", name)) {
        throw std::invalid_argument("the response does not announce the field " +
                                    std::string(name) +
                                    ": it needs a header `trailer: " + std::string(name) + "`");
    }
    trailers_->fields.set(name, value);
}

const Headers* BodySink::trailers() const {
    return trailers_ && !trailers_->fields.empty() ? &trailers_->fields : nullptr;
}

Task<Result<std::optional<std::string>>> BodyReader::next() {
    if (!source_) co_return std::optional<std::string>();
    // The source outlives this reader, should that be destroyed meanwhile.
    BodyRef<BodySource> source = source_;
    co_return co_await source->next();
}

Task<Result<std::string>> BodyReader::rest(std::uint64_t limit) {
    std::string all;
    while (std::optional<std::string> piece = co_await require(next())) {
        if (piece->size() > limit - all.size())
            co_return Error(ErrorKind::too_large, "body_too_large", "the body is too large");
        all.append(*piece);
    }
    co_return all;
}

const Headers& BodyReader::trailers() const {
    static const Headers none;
    return source_ ? source_->trailers() : none;
}

Task<Result<>> BodyWriter::write(std::string text) const {
    std::shared_ptr<BodySink> sink = sink_;
    co_return co_await sink->write(std::move(text));
}

void BodyWriter::trailer(std::string_view name, std::string_view value) const {
    sink_->trailer(name, value);
}

Task<bool> BodyWriter::closing(Duration limit) const {
    std::shared_ptr<BodySink> sink = sink_;
    co_return co_await sink->closing(limit);
}

}  // namespace bennu::net
